// SPDX-License-Identifier: MIT
#include "trm/data/partial_folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "support/temporary_folder.hpp"

using trm::partial_folder;
using trm_test::temporary_folder;

TEST_CASE("the folder appears with all that is in it, at commit") {
  const temporary_folder at;
  {
    partial_folder folder(at / "a/b/");
    CHECK(folder.path().parent_path() == at / "a");
    trm_test::put(folder.path() / "file", "content");
    CHECK_FALSE(std::filesystem::exists(at / "a/b"));
    folder.commit();
  }
  CHECK(trm_test::get(at / "a/b/file") == "content");
  CHECK(at.files() == 1);
}

TEST_CASE("without commit nothing remains") {
  const temporary_folder at;
  {
    partial_folder first(at / "a"), second(at / "a");
    CHECK(first.path() != second.path());
    trm_test::put(first.path() / "file", "content");
    std::filesystem::create_directory(first.path() / "inner");
    CHECK(at.files() == 2);
  }
  CHECK(at.files() == 0);
}

TEST_CASE("an empty folder is replaced, anything else is left alone") {
  const temporary_folder at;
  std::filesystem::create_directory(at / "empty");
  partial_folder(at / "empty").commit();
  CHECK(std::filesystem::is_directory(at / "empty"));

  trm_test::put(at / "file", "old");
  CHECK_THROWS_AS(partial_folder(at / "file"), trm::error);
  CHECK_THROWS_AS(partial_folder(at / "file/inside"), trm::error);
  std::filesystem::create_directories(at / "full/inner");
  CHECK_THROWS_AS(partial_folder(at / "full"), trm::error);
  CHECK_THROWS_AS(partial_folder(""), trm::error);

  // Someone else was first.
  partial_folder late(at / "raced");
  std::filesystem::create_directories(at / "raced/inner");
  CHECK_THROWS_AS(late.commit(), trm::error);
  CHECK(trm_test::get(at / "file") == "old");
}
