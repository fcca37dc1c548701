// SPDX-License-Identifier: MIT
// Where the recorded numbers and the real data are. A test without them is skipped by name, or fails under TRM_REQUIRE_DATA=1.
#pragma once
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace trm_test {

inline std::optional<std::filesystem::path> folder(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::filesystem::path(value);
}
inline std::optional<std::filesystem::path> data_dir() { return folder("TRM_DATA_DIR"); }
inline std::optional<std::filesystem::path> reference_dir() { return folder("TRM_REFERENCE_DIR"); }

/// True where missing data is a failure (continuous integration).
inline bool data_required() {
  const char* value = std::getenv("TRM_REQUIRE_DATA");
  return value != nullptr && std::string(value) == "1";
}

/// True when `path` is there. Otherwise fails the test or reports it as skipped, by the name of what is missing.
inline bool available(const std::optional<std::filesystem::path>& folder, const std::string& file) {
  if (folder && std::filesystem::exists(*folder / file)) return true;
  const std::string missing =
      folder ? (*folder / file).string() : "TRM_DATA_DIR or TRM_REFERENCE_DIR is not set, wanted " + file;
  if (data_required()) {
    FAIL_CHECK("missing: " << missing);
  } else {
    MESSAGE("SKIPPED, missing: " << missing);
  }
  return false;
}

}  // namespace trm_test
