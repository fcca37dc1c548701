// SPDX-License-Identifier: MIT
// expect: config: hidden must be a multiple of heads
#include "trm/models/model.hpp"

constexpr trm::config c{.tokens = 9, .vocab = 5, .hidden = 30, .heads = 4};
constexpr auto n = trm::model<c>::parameter_count;
