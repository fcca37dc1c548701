// SPDX-License-Identifier: MIT
// The SHA-256 of a file's bytes.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "trm/core/sha256.hpp"
#include "trm/io/file.hpp"

namespace trm {

/// How many bytes a file has, and which.
struct file_hash {
  std::uint64_t bytes = 0;
  sha256_digest sha256 = {};  // of all bytes

  friend bool operator==(const file_hash&, const file_hash&) = default;
};

/// Reads the whole of a file (or pipe), a piece at a time: what shrinks meanwhile is an answer, not a signal.
/// \throws trm::error where it cannot be read
inline file_hash hash_file(const std::filesystem::path& path) {
  const detail::descriptor file = detail::open_to_read(path);
  std::vector<std::uint8_t> piece(std::size_t{1} << 18);
  file_hash result;
  sha256 hash;
  for (;;) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) detail::throw_errno(path, "read");
    if (got == 0) break;
    hash.update(std::span(piece).first(static_cast<std::size_t>(got)));
    result.bytes += static_cast<std::uint64_t>(got);
  }
  result.sha256 = hash.finish();
  return result;
}

/// 64 hexadecimal digits. \throws trm::error where the file cannot be read
inline std::string sha256_of_file(const std::filesystem::path& path) { return to_hex(hash_file(path).sha256); }

}  // namespace trm
