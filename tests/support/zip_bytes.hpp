// SPDX-License-Identifier: MIT
// Zip archives made by hand, right or wrong in one respect, without the code under test.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace trm_test {

/// `value` in so many little-endian bytes.
inline std::string little_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}
/// CRC-32, bit by bit.
inline std::uint32_t slow_crc32(const std::string& bytes) {
  std::uint32_t crc = ~0u;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

/// One entry; what is not said is as it should be.
struct zip_part {
  std::string name = {}, bytes = {};
  std::uint64_t method = 0, flags = 0;
  std::int64_t size_change = 0, compressed_change = 0, offset_change = 0, crc_change = 0;
  std::string local_name = {};  // of the local header, where it is another
  std::size_t padding = 0;      // bytes of extra field before the data
  bool zip64 = false;
};
/// What the end of the archive says, where it is not as it should be.
struct zip_end {
  std::string comment = {};
  std::int64_t entries_change = 0, offset_change = 0, disk = 0;
  bool zip64 = false;
};

inline std::string zip_bytes(const std::vector<zip_part>& parts, const zip_end& end = {}) {
  const auto le = little_endian;
  const auto plus = [](std::uint64_t value, std::int64_t change) { return value + static_cast<std::uint64_t>(change); };
  std::string out, central;
  for (const zip_part& p : parts) {
    const std::string& local = p.local_name.empty() ? p.name : p.local_name;
    const std::uint64_t crc = plus(slow_crc32(p.bytes), p.crc_change) & 0xffffffff,
                        offset = plus(out.size(), p.offset_change), size = plus(p.bytes.size(), p.size_change),
                        compressed = plus(p.bytes.size(), p.compressed_change);
    out += "PK\3\4" + le(20, 2) + le(p.flags, 2) + le(p.method, 2) + le(0, 4) + le(crc, 4) + le(compressed, 4) +
           le(size, 4) + le(local.size(), 2) + le(p.padding, 2) + local;
    if (p.padding >= 4) out += "FB" + le(p.padding - 4, 2) + std::string(p.padding - 4, 'Z');
    out += p.bytes;
    const std::string extra = p.zip64 ? le(1, 2) + le(24, 2) + le(size, 8) + le(compressed, 8) + le(offset, 8) : "";
    const std::uint64_t all = 0xffffffff;
    central += "PK\1\2" + le(20, 2) + le(20, 2) + le(p.flags, 2) + le(p.method, 2) + le(0, 4) + le(crc, 4) +
               le(p.zip64 ? all : compressed, 4) + le(p.zip64 ? all : size, 4) + le(p.name.size(), 2) +
               le(extra.size(), 2) + le(0, 2) + le(0, 2) + le(0, 2) + le(0, 4) + le(p.zip64 ? all : offset, 4) +
               p.name + extra;
  }
  const std::uint64_t count = plus(parts.size(), end.entries_change), at = plus(out.size(), end.offset_change);
  const std::uint64_t record = out.size() + central.size();
  out += central;
  if (end.zip64) {
    out += "PK\6\6" + le(44, 8) + le(45, 2) + le(45, 2) + le(0, 4) + le(0, 4) + le(count, 8) + le(count, 8) +
           le(central.size(), 8) + le(at, 8);
    out += "PK\6\7" + le(0, 4) + le(record, 8) + le(1, 4);
  }
  const std::uint64_t disk = static_cast<std::uint64_t>(end.disk);
  return out + "PK\5\6" + le(disk, 2) + le(disk, 2) + le(end.zip64 ? 0xffff : count, 2) +
         le(end.zip64 ? 0xffff : count, 2) + le(end.zip64 ? 0xffffffff : central.size(), 4) +
         le(end.zip64 ? 0xffffffff : at, 4) + le(end.comment.size(), 2) + end.comment;
}

}  // namespace trm_test
