// SPDX-License-Identifier: MIT
#include "trm/io/crc32.hpp"

#include <doctest/doctest.h>

#include "support/zip_bytes.hpp"

TEST_CASE("CRC-32 of every length and alignment is that of the definition") {
  CHECK(trm::crc32(std::as_bytes(std::span("123456789").first(9))) == 0xCBF43926u);
  std::string bytes;
  for (int i = 0; i < 64; ++i) bytes += static_cast<char>(i * 37);
  for (std::size_t from = 0; from < 9; ++from) {
    for (std::size_t length = 0; length + from <= bytes.size(); ++length) {
      const std::string part = bytes.substr(from, length);
      CHECK(trm::crc32(std::as_bytes(std::span(bytes)).subspan(from, length)) == trm_test::slow_crc32(part));
    }
  }
}
