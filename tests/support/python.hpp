// SPDX-License-Identifier: MIT
// The original Python packages, to check formats against, where they are at hand.
#pragma once
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "support/temporary_folder.hpp"

namespace trm_test {

/// The interpreter: TRM_PYTHON, or python3.
inline std::string python() {
  const char* value = std::getenv("TRM_PYTHON");
  return value != nullptr && *value != '\0' ? value : "python3";
}

/// True when `module` can be imported; otherwise says that the test is skipped.
inline bool python_has(const std::string& module) {
  if (std::system((python() + " -c 'import " + module + "' 2>/dev/null").c_str()) == 0) return true;
  MESSAGE("SKIPPED, missing: " << python() << " cannot import " << module << " (TRM_PYTHON names another interpreter)");
  return false;
}

/// Runs a script with `folder` as its working directory; true when it ends without an exception.
inline bool run_python(const std::filesystem::path& folder, const std::string& script) {
  put(folder / "script.py", script);
  return std::system(("cd '" + folder.string() + "' && " + python() + " script.py").c_str()) == 0;
}

}  // namespace trm_test
