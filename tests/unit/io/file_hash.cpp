// SPDX-License-Identifier: MIT
#include "trm/io/file_hash.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"

TEST_CASE("a file's digest is that of its bytes, whatever their number") {
  const trm_test::temporary_folder folder;
  for (const std::size_t size : {0u, 3u, 262143u, 262144u, 262145u, 1000000u}) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * i >> 3);
    trm_test::put(folder / "file", bytes);
    trm::sha256 hash(trm::detail::sha256_portable);
    hash.update(bytes);
    const trm::sha256_digest expected = hash.finish();
    CHECK(trm::hash_file(folder / "file") == trm::file_hash{size, expected});
    CHECK(trm::sha256_of_file(folder / "file") == trm::to_hex(expected));
  }
}

TEST_CASE("what cannot be read is named") {
  const trm_test::temporary_folder folder;
  trm_test::check_error([&] { trm::hash_file(folder / "none"); }, "none: cannot open: No such file");
  trm_test::check_error([&] { trm::hash_file(folder.path()); }, "cannot read: Is a directory");
}
