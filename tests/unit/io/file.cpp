// SPDX-License-Identifier: MIT
#include "trm/io/file.hpp"

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"

namespace {

TEST_CASE("read_file and mapped_file give the bytes of the file, also of an empty one") {
  const trm_test::temporary_folder folder;
  for (const std::string& bytes : {std::string(), std::string("a\0b\n", 4), std::string(200'000, 'x')}) {
    trm_test::put(folder / "f", bytes);
    CHECK(trm::read_file(folder / "f") == bytes);
    const trm::mapped_file mapped(folder / "f");
    CHECK(std::string(reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size()) == bytes);
  }
}

TEST_CASE("the limit of read_file is the largest size that is read") {
  const trm_test::temporary_folder folder;
  trm_test::put(folder / "f", "12345");
  CHECK(trm::read_file(folder / "f", 5) == "12345");
  const std::string place = (folder / "f").string();
  CHECK_THROWS_WITH_AS(trm::read_file(folder / "f", 4), (place + ": larger than the limit of 4 bytes").c_str(),
                       trm::error);
  CHECK_THROWS_AS(trm::read_file("/dev/zero", 1000), trm::error);  // no size to look at beforehand
}

TEST_CASE("what cannot be opened or is no file is an error that says why") {
  const trm_test::temporary_folder folder;
  const std::string missing = (folder / "missing").string();
  CHECK_THROWS_WITH_AS(trm::read_file(missing), (missing + ": cannot open: No such file or directory").c_str(),
                       trm::error);
  CHECK_THROWS_WITH_AS(trm::mapped_file{missing}, (missing + ": cannot open: No such file or directory").c_str(),
                       trm::error);
  CHECK_THROWS_WITH_AS(trm::read_file(folder.path()),
                       (folder.path().string() + ": cannot read: Is a directory").c_str(), trm::error);
  CHECK_THROWS_WITH_AS(trm::mapped_file{folder.path()}, (folder.path().string() + ": not a regular file").c_str(),
                       trm::error);
}

TEST_CASE("a mapping moves, and outlives the file's name") {
  const trm_test::temporary_folder folder;
  trm_test::put(folder / "f", "abc");
  trm::mapped_file a(folder / "f");
  std::filesystem::remove(folder / "f");
  trm::mapped_file b = std::move(a);
  CHECK(a.bytes().empty());
  CHECK(static_cast<char>(b.bytes()[2]) == 'c');
  a = std::move(b);
  CHECK(static_cast<char>(a.bytes()[0]) == 'a');
}

}  // namespace
