// SPDX-License-Identifier: MIT
// expect: config: puzzle_width must fit in puzzle_positions . hidden
#include "trm/models/model.hpp"

constexpr trm::config c{.tokens = 9, .vocab = 5, .hidden = 32, .heads = 4, .puzzle_positions = 2, .puzzle_width = 65};
constexpr auto n = trm::model<c>::parameter_count;
