// SPDX-License-Identifier: MIT
// CRC-32C (Castagnoli, RFC 3720), the checksum of TFRecord files.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace trm {
namespace detail {
/// The remainders of all bytes by the reflected polynomial 0x82f63b78.
inline constexpr auto crc32c_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t r = byte;
    for (int bit = 0; bit < 8; ++bit) r = (r & 1) != 0 ? r >> 1 ^ 0x82f63b78u : r >> 1;
    table[byte] = r;
  }
  return table;
}();
}  // namespace detail

/// CRC-32C (Castagnoli) of the bytes, as RFC 3720 has it: reflected, polynomial 0x1EDC6F41, inverted before and
/// after.
constexpr std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t r = 0xffffffffu;
  for (const char c : bytes) r = r >> 8 ^ detail::crc32c_table[(r ^ static_cast<unsigned char>(c)) & 0xff];
  return ~r;
}

}  // namespace trm
