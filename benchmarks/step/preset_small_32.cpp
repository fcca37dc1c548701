// SPDX-License-Identifier: MIT
// A small model: 16 positions for the puzzle and 16 tokens.
#include "sessions.hpp"

namespace {
using namespace trm_benchmark;
const registered_model here("small_32", make_session<small(16), false>);
}  // namespace
