// SPDX-License-Identifier: MIT
// The published model for Sudoku, with attention; also solves.
#include "sessions.hpp"

namespace {
using namespace trm_benchmark;
const registered_model here("sudoku_attention", make_session<paper(81, 11, 6), true>);
}  // namespace
