// SPDX-License-Identifier: MIT
// What writers do where a disk is full or a folder may not be written.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/data/dataset_writer.hpp"
#include "trm/io/csv.hpp"
#include "trm/io/npy.hpp"
#include "trm/io/safetensors.hpp"

namespace {

using trm_test::get;
using trm_test::put;
using trm_test::temporary_folder;

/// A limit on the size of files stands for a full disk: it fails in the same call.
class full_disk {
 public:
  explicit full_disk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit small{bytes, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  }
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;
  ~full_disk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

/// Nobody may write into the folder. The system's administrator may write anywhere and becomes somebody else for that time.
class unwritable {
 public:
  explicit unwritable(std::filesystem::path folder) : folder_(std::move(folder)), user_(geteuid()) {
    REQUIRE(chmod(folder_.c_str(), 0555) == 0);
    if (user_ == 0) REQUIRE(seteuid(65534) == 0);
  }
  unwritable(const unwritable&) = delete;
  unwritable& operator=(const unwritable&) = delete;
  ~unwritable() {
    if (user_ == 0) (void)!seteuid(0);
    chmod(folder_.c_str(), 0755);
  }

 private:
  std::filesystem::path folder_;
  uid_t user_;
};

using path = std::filesystem::path;

struct writer {
  const char* name;
  std::function<void(const path&)> write;  // some 200 kB
};

const std::vector<std::uint8_t> bytes(200'000, 7);

std::vector<writer> writers() {
  return {{"write_file", [](const path& f) { trm::write_file(f, std::string(200'000, 'x')); }},
          {"save_npy", [](const path& f) { trm::save_npy(f, {200'000}, std::span<const std::uint8_t>(bytes)); }},
          {"npy_writer",
           [](const path& f) {
             trm::npy_writer w(f, trm::element_type::u8, {10});
             for (int i = 0; i < 20'000; ++i) w.append(std::span<const std::uint8_t>(bytes).first(10));
             w.commit();
           }},
          {"safetensors_writer",
           [](const path& f) {
             trm::safetensors_writer w;
             w.add<std::uint8_t>("x", {200'000}, bytes);
             w.save(f);
           }},
          {"csv_writer", [](const path& f) {
             trm::csv_writer w(f, {"a", "b"});
             for (int i = 0; i < 20'000; ++i) w.write({"01234", "6789"});
             w.commit();
           }}};
}

TEST_CASE("a full disk: one error with file and reason, the old file as it was, nothing beside it") {
  for (const writer& w : writers()) {
    CAPTURE(w.name);
    // In the middle, in what is written at the end, at once.
    for (const rlim_t limit : {100'000, 65'536, 0}) {
      CAPTURE(limit);
      const temporary_folder folder;
      put(folder / "f", "old");
      std::string message;
      {
        const full_disk full(limit);
        message = trm_test::error_of([&] { w.write(folder / "f"); });
      }
      CHECK(message == (folder / "f").string() + ": cannot write: File too large");
      CHECK(get(folder / "f") == "old");
      CHECK(folder.files() == 1);
    }
  }
}

TEST_CASE("an unwritable folder: one error with file and reason, the old file as it was") {
  for (const writer& w : writers()) {
    CAPTURE(w.name);
    const temporary_folder folder;
    put(folder / "f", "old");
    std::string message;
    {
      const unwritable locked(folder.path());
      message = trm_test::error_of([&] { w.write(folder / "f"); });
    }
    CHECK(message == (folder / "f").string() + ": cannot create: Permission denied");
    CHECK(get(folder / "f") == "old");
    CHECK(folder.files() == 1);
  }
}

void write_dataset(const path& folder, int examples, std::int32_t token, std::int32_t seq_len = 100) {
  trm::dataset_metadata m;
  m.vocab_size = 5;
  m.seq_len = seq_len;
  trm::dataset_writer w(folder, "train", m);
  const std::vector<std::int32_t> tokens(static_cast<std::size_t>(seq_len), token);
  for (int i = 0; i < examples; ++i) {
    w.add(tokens, tokens);
    w.end_puzzle(0);
    w.end_group();
  }
  w.commit();
}

TEST_CASE("a dataset: a disk that fills while examples are written leaves the old one whole") {
  const temporary_folder folder;
  write_dataset(folder.path(), 3, 1);
  std::string message;
  {
    const full_disk full(100'000);
    message = trm_test::error_of([&] { write_dataset(folder.path(), 2000, 2); });
  }
  CHECK(message.find("__inputs.npy: cannot write: File too large") != std::string::npos);
  CHECK(trm::dataset::open(folder.path(), "train").sources()[0].rows() == 3);
  CHECK(std::distance(std::filesystem::directory_iterator(folder / "train"), {}) == 6);
}

TEST_CASE(
    "a dataset: a disk that has room for the examples, but not for the lists or dataset.json, leaves the old one "
    "whole") {
  const temporary_folder folder;
  write_dataset(folder.path(), 3, 1);
  const auto fails_in = [&](const char* file, int examples, rlim_t limit) {
    std::string message;
    {
      const full_disk full(limit);
      message = trm_test::error_of([&] { write_dataset(folder.path(), examples, 2, 1); });
    }
    CHECK(message == (folder.path() / "train" / file).string() + ": cannot write: File too large");
    CHECK(trm::dataset::open(folder.path(), "train").sources()[0].rows() == 3);
    CHECK(std::distance(std::filesystem::directory_iterator(folder / "train"), {}) == 6);
  };
  fails_in("all__puzzle_identifiers.npy", 500, 1000);  // a row is a byte, an identifier four
  fails_in("dataset.json", 1, 150);
}

TEST_CASE("a dataset: a disk that is full at its end leaves none, never half of one, and nothing partial") {
  const temporary_folder folder;
  std::string message;
  {
    const full_disk full(0);  // ten rows are written at the end only
    message = trm_test::error_of([&] { write_dataset(folder.path(), 10, 2); });
  }
  CHECK(message.find("__inputs.npy: cannot write: File too large") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "train/dataset.json"));
  CHECK(std::filesystem::is_empty(folder / "train"));
}

TEST_CASE("a dataset in an unwritable folder") {
  const temporary_folder folder;
  std::string message;
  {
    const unwritable locked(folder.path());
    message = trm_test::error_of([&] { write_dataset(folder.path(), 1, 1); });
  }
  CHECK(message == (folder / "train").string() + ": cannot create the folder: Permission denied");
  CHECK(std::filesystem::is_empty(folder.path()));
}

}  // namespace
