// SPDX-License-Identifier: MIT
// CRC-32 as zip archives have it (ISO 3309; polynomial 0xEDB88320, reflected).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace trm {

namespace detail {

/// crc32_tables[k][b]: the remainder of byte b with k zero bytes behind it.
inline constexpr auto crc32_tables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> t{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t r = b;
    for (int i = 0; i < 8; ++i) r = r >> 1 ^ (r & 1 ? 0xEDB88320u : 0u);
    t[0][b] = r;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t b = 0; b < 256; ++b) t[k][b] = t[k - 1][b] >> 8 ^ t[0][t[k - 1][b] & 255];
  }
  return t;
}();

}  // namespace detail

/// Eight bytes at a time ("slicing by 8", Kounavis and Berry 2008).
inline std::uint32_t crc32(std::span<const std::byte> bytes) {
  const auto& t = detail::crc32_tables;
  std::uint32_t crc = ~0u;
  const std::byte *at = bytes.data(), *end = at + bytes.size();
  for (; end - at >= 8; at += 8) {
    std::uint32_t low, high;  // little-endian, as everything that is read in place
    std::memcpy(&low, at, 4), std::memcpy(&high, at + 4, 4);
    low ^= crc;
    crc = t[7][low & 255] ^ t[6][low >> 8 & 255] ^ t[5][low >> 16 & 255] ^ t[4][low >> 24] ^ t[3][high & 255] ^
          t[2][high >> 8 & 255] ^ t[1][high >> 16 & 255] ^ t[0][high >> 24];
  }
  for (; at != end; ++at) crc = crc >> 8 ^ t[0][(crc ^ std::to_integer<std::uint32_t>(*at)) & 255];
  return ~crc;
}

}  // namespace trm
