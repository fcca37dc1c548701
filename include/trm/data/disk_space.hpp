// SPDX-License-Identifier: MIT
// Whether there is room for what is to be written, asked before it is.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <system_error>

#include "trm/core/error.hpp"

namespace trm {

/// Is told the bytes that will be written and those that are free, nothing where the file system does not say.
using disk_space_notice = std::function<void(std::uint64_t, std::optional<std::uint64_t>)>;

/// Returns where `needed` bytes are free in the file system of `folder`, which must be there.
/// `available`: taken to be free instead of what the file system says (a quota). `notice`: called where there is room.
/// \throws trm::error with both numbers where they are not. A file system that does not say is taken to have room
inline void require_disk_space(const std::filesystem::path& folder, std::uint64_t needed,
                               std::optional<std::uint64_t> available = {}, const disk_space_notice& notice = {}) {
  if (!available) {
    std::error_code code;
    const std::filesystem::space_info space = std::filesystem::space(folder, code);
    if (!code) available = space.available;
  }
  if (available && needed > *available) {
    throw error(folder.string(),
                "needs " + std::to_string(needed) + " bytes, " + std::to_string(*available) + " are free: make room");
  }
  if (notice) notice(needed, available);
}

}  // namespace trm
