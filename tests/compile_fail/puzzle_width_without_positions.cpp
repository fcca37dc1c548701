// SPDX-License-Identifier: MIT
// expect: config: puzzle_width and puzzle_positions must both be 0 or both be positive
#include "trm/models/model.hpp"

constexpr trm::config c{.tokens = 9, .vocab = 5, .hidden = 32, .heads = 4, .puzzle_width = 32};
constexpr auto n = trm::model<c>::parameter_count;
