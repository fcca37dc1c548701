// SPDX-License-Identifier: MIT
// expect: config: rope needs an even head width
#include "trm/models/model.hpp"

constexpr trm::config c{.tokens = 9, .vocab = 5, .hidden = 20, .heads = 4};
constexpr auto n = trm::model<c>::parameter_count;
