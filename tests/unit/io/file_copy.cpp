// SPDX-License-Identifier: MIT
#include "trm/io/file_copy.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"

TEST_CASE("a copy has the bytes, and the hash is theirs") {
  const trm_test::temporary_folder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 18, std::size_t{600001}}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 977) text[i] = static_cast<char>(i);
    trm_test::put(folder / "a", text);
    const trm::file_hash hash = trm::copy_file(folder / "a", folder / "b");
    CHECK(trm_test::get(folder / "b") == text);
    CHECK(hash == trm::hash_file(folder / "a"));
  }
}

TEST_CASE("what cannot be read or written is named, and nothing is left") {
  const trm_test::temporary_folder folder;
  trm_test::put(folder / "a", "abc");
  trm_test::check_error([&] { trm::copy_file(folder / "none", folder / "b"); }, (folder / "none").string());
  trm_test::check_error([&] { trm::copy_file(folder / "a", folder / "no/b"); }, (folder / "no/b").string());
  CHECK_FALSE(std::filesystem::exists(folder / "b"));
}
