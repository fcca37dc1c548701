// SPDX-License-Identifier: MIT
// How much memory this process may have: what the machine has, or less where its control group is limited.
#pragma once
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <system_error>

namespace trm {
namespace detail {

/// The number in a file; the largest one where there is none ("max", no such file).
inline std::uint64_t limit_in(const std::filesystem::path& file) {
  std::string text;
  std::ifstream(file) >> text;
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc{} && end == text.data() + text.size() ? value : std::numeric_limits<std::uint64_t>::max();
}

/// The least limit of a control group and those around it. `groups` is the text of /proc/self/cgroup (lines ID:CONTROLLERS:PATH,
/// cgroups(7)), `root` is /sys/fs/cgroup. Within a container the path may be that of the host: then `root` is our group.
inline std::uint64_t control_group_limit(const std::string& groups, const std::filesystem::path& root) {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers != "memory") continue;
    const bool unified = controllers.empty();
    const std::filesystem::path top = unified ? root : root / "memory";
    const char* file = unified ? "memory.max" : "memory.limit_in_bytes";
    least = std::min(least, limit_in(top / file));
    std::filesystem::path at = top;
    for (const auto& part : std::filesystem::path(line.substr(second + 1)).relative_path()) {
      if (part == "..") break;  // a group outside of what we see
      at /= part;
      least = std::min(least, limit_in(at / file));
    }
  }
  return least;
}

}  // namespace detail

/// In bytes, as it is now.
inline std::uint64_t memory_limit() {
  std::ostringstream groups;
  groups << std::ifstream("/proc/self/cgroup").rdbuf();
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  const std::uint64_t machine = pages > 0 && page > 0
                                    ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page)
                                    : std::numeric_limits<std::uint64_t>::max();
  return std::min(machine, detail::control_group_limit(groups.str(), "/sys/fs/cgroup"));
}

}  // namespace trm
