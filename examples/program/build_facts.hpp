// SPDX-License-Identifier: MIT
// What this program was built from, and with what.
#pragma once
#include <algorithm>
#include <string>

namespace program {
namespace build {

// Defined in build_facts.cpp, the only object that is compiled again when the commit changes. A program that is linked
// without it does not know.
__attribute__((weak)) const char* commit();
__attribute__((weak)) const char* flags();

}  // namespace build

/// "5c9f708...", 40 digits, with "-dirty" where files differed from the commit; "unknown" where there was no git.
inline std::string built_commit() { return build::commit != nullptr ? build::commit() : "unknown"; }

/// The options of the build: "-O3 -DNDEBUG"; "unknown" where nobody said.
inline std::string built_flags() {
  const std::string flags = build::flags != nullptr ? build::flags() : "unknown";
  return flags.substr(std::min(flags.find_first_not_of(' '), flags.size()));
}

/// "g++ 12.2.0"
inline std::string built_compiler() {
#if defined(__clang__)
  const std::string version = __clang_version__;  // may have a remark after it
  return "clang " + version.substr(0, version.find(' '));
#else
  return std::string("g++ ") + __VERSION__;
#endif
}

}  // namespace program
