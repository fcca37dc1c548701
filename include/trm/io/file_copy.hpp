// SPDX-License-Identifier: MIT
// A copy of a file, with the hash of what was copied.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "trm/core/sha256.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/file.hpp"
#include "trm/io/file_hash.hpp"

namespace trm {

/// Copies `from` to `to`, atomically, a piece at a time. \throws trm::error where one cannot be read or the other written
inline file_hash copy_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  const detail::descriptor source = detail::open_to_read(from);
  std::vector<std::uint8_t> piece(std::size_t{1} << 18);
  file_hash result;
  sha256 hash;
  atomic_file out(to);
  for (;;) {
    const ssize_t got = ::read(source.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) detail::throw_errno(from, "read");
    if (got == 0) break;
    const std::span<const std::uint8_t> bytes = std::span(piece).first(static_cast<std::size_t>(got));
    hash.update(bytes);
    out.write(std::as_bytes(bytes));
    result.bytes += bytes.size();
  }
  out.commit();
  result.sha256 = hash.finish();
  return result;
}

}  // namespace trm
