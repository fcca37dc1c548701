// SPDX-License-Identifier: MIT
#include "trm/data/stored_rows.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/temporary_folder.hpp"
#include "trm/io/npy.hpp"

using trm::detail::read_advice;

namespace {

constexpr std::int64_t rows = 16384, width = 512;  // 8 MiB
const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

/// Where the pages of the array begin.
std::byte* first_page(const trm::npy_file& f) {
  const auto at = reinterpret_cast<std::uintptr_t>(f.bytes().data());
  return const_cast<std::byte*>(f.bytes().data()) - at % page;
}
std::size_t bytes_of_pages(const trm::npy_file& f) {
  return static_cast<std::size_t>(f.bytes().data() - first_page(f)) + f.bytes().size();
}

/// An array of which nothing is in memory, where the file system can forget a file.
trm::npy_file stored(const std::filesystem::path& path) {
  const std::vector<std::int8_t> values(rows * width, 3);
  trm::save_npy(path, {rows, width}, std::span(values));
  trm::npy_file array = trm::npy_file::open(path);
  ::madvise(first_page(array), bytes_of_pages(array), MADV_DONTNEED);
  const int file = ::open(path.c_str(), O_RDONLY);
  REQUIRE(file >= 0);
  ::fsync(file);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
  return array;
}

/// Which pages of the array are in memory, numbered from its first on.
std::set<std::size_t> present(const trm::npy_file& f) {
  std::vector<unsigned char> state((bytes_of_pages(f) + page - 1) / page);
  REQUIRE(::mincore(first_page(f), bytes_of_pages(f), state.data()) == 0);
  std::set<std::size_t> numbers;
  for (std::size_t i = 0; i < state.size(); ++i) {
    if ((state[i] & 1) != 0) numbers.insert(i);
  }
  return numbers;
}
std::size_t page_of(std::int64_t row) { return static_cast<std::size_t>(row * width) / page; }

/// Is the mapping that holds the array marked to be read in random order ("rr" of VmFlags, proc(5))?
bool random_order(const trm::npy_file& f) {
  std::ifstream maps("/proc/self/smaps");
  const auto at = reinterpret_cast<std::uintptr_t>(f.bytes().data());
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    if (std::istringstream range(line); range >> std::hex >> begin >> dash >> end && dash == '-') {
      here = begin <= at && at < end;
    }
    if (here && line.starts_with("VmFlags:")) return line.find(" rr") != line.npos;
  }
  FAIL("the array is in no mapping");
  return false;
}

/// Waits until the page is in memory, at most twenty seconds: what was asked for in advance comes by itself.
bool comes(const trm::npy_file& f, std::size_t number) {
  for (int i = 0; i < 2000 && !present(f).contains(number); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return present(f).contains(number);
}

}  // namespace

TEST_CASE("arrays that take more than half of the memory together are marked to be read in random order, others not") {
  const trm_test::temporary_folder folder;
  const trm::npy_file inputs = stored(folder / "inputs.npy"), labels = stored(folder / "labels.npy");
  constexpr std::uint64_t both = 2 * rows * width;
  const read_advice fits({&inputs, &labels}, 2 * both);
  CHECK(!fits.given());
  fits.reads(0, rows);
  CHECK(!random_order(inputs));
  const read_advice exceeds({&inputs, &labels}, 2 * both - 1);
  CHECK(exceeds.given());
  CHECK(random_order(inputs));
  CHECK(random_order(labels));
}

TEST_CASE("rows far from each other ask for nothing; rows one after another for those that follow, up to the last") {
  const trm_test::temporary_folder folder;
  const trm::npy_file inputs = stored(folder / "inputs.npy"), labels = stored(folder / "labels.npy");
  const std::int64_t start = rows / 2, believed = start + 128;  // a run of 64 reads, every second row
  if (!present(inputs).empty() || !present(labels).empty()) {
    MESSAGE("skipped: ", folder.path().string(), " is on a file system whose files stay in memory");
    return;
  }
  const read_advice advice({&inputs, &labels}, 0);
  for (std::int64_t i = 0; i < 2000; ++i) advice.reads(i * 1237 % rows, rows);
  for (std::int64_t row = start; row < believed; row += 2) advice.reads(row, rows);  // a run too short to be believed
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(present(inputs).empty());
  CHECK(present(labels).empty());

  for (std::int64_t row = believed; row < believed + 20; row += 2) advice.reads(row, rows);
  for (const trm::npy_file* f : {&inputs, &labels}) {
    CHECK(comes(*f, page_of(believed)));
    CHECK(comes(*f, page_of(believed + 2047)));
    CHECK(!present(*f).contains(page_of(start - 1000)));
    CHECK(!present(*f).contains(page_of(rows - 1)));
  }
  advice.reads(0, rows);
  for (std::int64_t row = rows - 200; row < rows; ++row) advice.reads(row, rows);
  for (const trm::npy_file* f : {&inputs, &labels}) CHECK(comes(*f, page_of(rows - 1)));
}

TEST_CASE("threads may read at once, each in its own order") {
  const trm_test::temporary_folder folder;
  const trm::npy_file inputs = stored(folder / "inputs.npy");
  const read_advice advice({&inputs}, 0);
  std::vector<std::thread> readers;
  for (const std::int64_t step : {1, 2, 1237}) {
    readers.emplace_back([&, step] {
      for (std::int64_t i = 0; i < rows; ++i) advice.reads(i * step % rows, rows);
    });
  }
  for (std::thread& t : readers) t.join();
  std::vector<std::int32_t> row(width);
  inputs.read_row(rows - 1, std::span(row));
  CHECK(row == std::vector<std::int32_t>(width, 3));
}
