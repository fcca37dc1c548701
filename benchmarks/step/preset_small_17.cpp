// SPDX-License-Identifier: MIT
// A small model: one position for the puzzle and 16 tokens.
#include "sessions.hpp"

namespace {
using namespace trm_benchmark;
const registered_model here("small_17", make_session<small(1), false>);
}  // namespace
