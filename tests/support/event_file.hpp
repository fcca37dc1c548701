// SPDX-License-Identifier: MIT
// TensorBoard event files read back, independently of what writes them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "support/temporary_folder.hpp"

namespace trm_test {

/// The data of every record; throws where a checksum is wrong. What is left at the end, less than a record, is `torn`.
inline std::vector<std::string> tfrecords(std::string_view bytes, std::size_t* torn = nullptr) {
  const auto crc = [](std::string_view s) {  // bit by bit
    std::uint32_t r = ~0u;
    for (const char c : s) {
      r ^= static_cast<unsigned char>(c);
      for (int i = 0; i < 8; ++i) r = r >> 1 ^ (r & 1 ? 0x82f63b78u : 0u);
    }
    r = ~r;
    return (r >> 15 | r << 17) + 0xa282ead8u;
  };
  const auto check = [&](std::string_view s, const char* stored) {
    std::uint32_t found;
    std::memcpy(&found, stored, 4);
    if (found != crc(s)) throw std::runtime_error("wrong checksum");
  };
  std::vector<std::string> records;
  while (bytes.size() >= 16) {
    std::uint64_t length;
    std::memcpy(&length, bytes.data(), 8);
    check(bytes.substr(0, 8), bytes.data() + 8);
    if (length > bytes.size() - 16) break;
    records.emplace_back(bytes.substr(12, length));
    check(records.back(), bytes.data() + 12 + length);
    bytes.remove_prefix(16 + length);
  }
  if (torn != nullptr) *torn = bytes.size();
  return records;
}

/// A message's fields: numbers (of fixed width: their bits) and bytes.
using proto_field = std::variant<std::uint64_t, std::string>;
inline std::multimap<unsigned, proto_field> proto_fields(std::string_view bytes) {
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.at(at++));
      v |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) return v;
    }
  };
  std::multimap<unsigned, proto_field> fields;
  while (at < bytes.size()) {
    const std::uint64_t key = varint();
    const auto number = static_cast<unsigned>(key >> 3);
    if (key % 8 == 0) {
      fields.emplace(number, varint());
      continue;
    }
    const std::size_t size = key % 8 == 1 ? 8 : key % 8 == 5 ? 4 : static_cast<std::size_t>(varint());
    if (size > bytes.size() - at) throw std::runtime_error("a field beyond the end");
    std::uint64_t bits = 0;
    if (key % 8 == 2) {
      fields.emplace(number, std::string(bytes.substr(at, size)));
    } else {
      std::memcpy(&bits, bytes.data() + at, size);
      fields.emplace(number, bits);
    }
    at += size;
  }
  return fields;
}
inline std::uint64_t number_of(const std::multimap<unsigned, proto_field>& fields, unsigned field) {
  return std::get<std::uint64_t>(fields.find(field)->second);
}
inline const std::string& bytes_of(const std::multimap<unsigned, proto_field>& fields, unsigned field) {
  return std::get<std::string>(fields.find(field)->second);
}

/// A scalar of an event file.
struct event_scalar {
  std::int64_t step;
  std::string tag;
  float value;
  friend bool operator==(const event_scalar&, const event_scalar&) = default;
};

/// All scalars of a folder's event files, in the order in which TensorBoard reads them; what a later start repeats is
/// left out.
inline std::vector<event_scalar> event_scalars(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<event_scalar> all;
  for (const auto& file : files) {
    for (const std::string& record : tfrecords(get(file))) {
      const auto event = proto_fields(record);
      const auto step = static_cast<std::int64_t>(number_of(event, 2));
      if (event.contains(7) && number_of(proto_fields(bytes_of(event, 7)), 1) == 1) {
        std::erase_if(all, [&](const event_scalar& s) { return s.step >= step; });
      }
      if (!event.contains(5)) continue;
      const auto summary = proto_fields(bytes_of(event, 5));
      for (auto [v, end] = summary.equal_range(1); v != end; ++v) {
        const auto value = proto_fields(std::get<std::string>(v->second));
        if (!value.contains(2)) continue;
        const auto bits = static_cast<std::uint32_t>(number_of(value, 2));
        float number;
        std::memcpy(&number, &bits, 4);
        all.push_back({step, bytes_of(value, 1), number});
      }
    }
  }
  return all;
}

}  // namespace trm_test
