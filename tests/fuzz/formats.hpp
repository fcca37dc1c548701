// SPDX-License-Identifier: MIT
// Binary files from texts: what a fuzzer hardly finds by itself (lengths, magic numbers) is put in front of its input.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "fuzz.hpp"

namespace trm_fuzz {

/// An input that begins with `{` is a .npy header, up to its first line feed, and the values; any other is a whole file.
inline std::string npy_bytes(std::string_view input) {
  if (input.substr(0, 1) != "{") return std::string(input);
  const std::string header = std::string(take_until(input, "\n")) + "\n";
  std::string out("\x93NUMPY\x02\x00", 8);
  for (int i = 0; i < 4; ++i) out += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return out + header + std::string(input);
}

/// An input that begins with `{` is a safetensors header, up to its first NUL, and the data; any other is a whole file.
inline std::string safetensors_bytes(std::string_view input) {
  if (input.substr(0, 1) != "{") return std::string(input);
  const std::string_view header = take_until(input, std::string_view("\0", 1));
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return out.append(header).append(input);
}

}  // namespace trm_fuzz
