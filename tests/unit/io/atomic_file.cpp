// SPDX-License-Identifier: MIT
#include "trm/io/atomic_file.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>

#include "support/temporary_folder.hpp"

namespace {

using trm_test::get;
using trm_test::put;

TEST_CASE("the old content stays until commit, then the new one is there, and nothing else is left") {
  const trm_test::temporary_folder folder;
  put(folder / "f", "old");
  {
    trm::atomic_file file(folder / "f");
    file.write("new ");
    file.write("content");
    CHECK(file.size() == 11);
    CHECK(get(folder / "f") == "old");
    file.commit();
    CHECK(get(folder / "f") == "new content");
    CHECK_THROWS_AS(file.write("more"), trm::error);
    CHECK_THROWS_AS(file.commit(), trm::error);
  }
  CHECK(get(folder / "f") == "new content");
  CHECK(folder.files() == 1);
}

TEST_CASE("without commit nothing changes and nothing is left") {
  const trm_test::temporary_folder folder;
  {
    trm::atomic_file file(folder / "f");
    file.write(std::string(300'000, 'x'));
    CHECK(folder.files() == 1);
  }
  CHECK(folder.files() == 0);
}

TEST_CASE("pieces of any size arrive in order; overwrite replaces what was written") {
  const trm_test::temporary_folder folder;
  std::string expected;
  trm::atomic_file file(folder / "f");
  for (const std::size_t size : {1u, 65535u, 1u, 65536u, 0u, 7u, 200'000u, 5u}) {
    const std::string piece(size, static_cast<char>('a' + expected.size() % 26));
    file.write(piece);
    expected += piece;
  }
  const std::string patch = "PATCH";
  const auto bytes = std::as_bytes(std::span(patch.data(), patch.size()));
  for (const std::size_t at : {std::size_t{0}, std::size_t{65534}, expected.size() - 5}) {
    file.overwrite(at, bytes);
    expected.replace(at, 5, patch);
  }
  CHECK_THROWS_AS(file.overwrite(expected.size() - 4, bytes), trm::error);
  file.write("end");
  file.commit();
  CHECK(get(folder / "f") == expected + "end");
}

TEST_CASE("two files for one path do not meet; the last commit wins") {
  const trm_test::temporary_folder folder;
  trm::atomic_file a(folder / "f"), b(folder / "f");
  a.write("a");
  b.write("b");
  b.commit();
  a.commit();
  CHECK(get(folder / "f") == "a");
}

TEST_CASE("partial files that a killed process of the same number left do not stand in the way") {
  const trm_test::temporary_folder folder;
  std::string last;
  {
    const trm::atomic_file probe(folder / "f");
    last = std::filesystem::directory_iterator(folder.path())->path().filename().string();
  }
  const std::size_t dash = last.rfind('-');
  const int next = std::stoi(last.substr(dash + 1)) + 1;
  put(folder / (last.substr(0, dash + 1) + std::to_string(next)), "left");
  put(folder / (last.substr(0, dash + 1) + std::to_string(next + 1)), "left");
  trm::write_file(folder / "f", "new");
  CHECK(get(folder / "f") == "new");
  CHECK(folder.files() == 3);
}

TEST_CASE("a moved file is committed once and removed by its new owner") {
  const trm_test::temporary_folder folder;
  trm::atomic_file a(folder / "f");
  a.write("text");
  {
    trm::atomic_file b = std::move(a);
    b.commit();
  }
  CHECK(get(folder / "f") == "text");
  CHECK_THROWS_AS(a.write("x"), trm::error);
}

TEST_CASE("folders that are missing or no folders, and a target that is a folder") {
  const trm_test::temporary_folder folder;
  const std::string missing = (folder / "no/f").string();
  CHECK_THROWS_WITH_AS(trm::atomic_file{missing}, (missing + ": cannot create: No such file or directory").c_str(),
                       trm::error);
  put(folder / "file", "");
  const std::string below = (folder / "file/f").string();
  CHECK_THROWS_WITH_AS(trm::atomic_file{below}, (below + ": cannot create: Not a directory").c_str(), trm::error);
  std::filesystem::create_directory(folder / "d");
  const std::string place = (folder / "d").string();
  CHECK_THROWS_WITH_AS(trm::write_file(place, "x"), (place + ": cannot put in place: Is a directory").c_str(),
                       trm::error);
  CHECK(folder.files() == 2);
}

TEST_CASE("when the disk takes no more, the old file stays and the partial one goes") {
  const trm_test::temporary_folder folder;
  put(folder / "f", "old");
  // A limit on the size of files stands for a full disk: it fails in the same call.
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100'000, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string message;
  try {
    trm::atomic_file file(folder / "f");
    for (int i = 0; i < 100; ++i) file.write(std::string(10'000, 'x'));
    file.commit();
  } catch (const trm::error& e) {
    message = e.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(message == (folder / "f").string() + ": cannot write: File too large");
  CHECK(get(folder / "f") == "old");
  CHECK(folder.files() == 1);
}

}  // namespace
