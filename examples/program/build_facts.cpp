// SPDX-License-Identifier: MIT
// What CMake knows of the build: cmake/build_facts.cmake.
#include "build_facts.hpp"

#include "trm_commit.hpp"  // made by the build

namespace program::build {

const char* commit() { return TRM_COMMIT; }
const char* flags() { return TRM_FLAGS; }

}  // namespace program::build
