// SPDX-License-Identifier: MIT
// expect: config: layers, h_cycles and l_cycles must be positive
#include "trm/models/model.hpp"

constexpr trm::config c{.tokens = 9, .vocab = 5, .hidden = 32, .heads = 4, .layers = 0};
constexpr auto n = trm::model<c>::parameter_count;
