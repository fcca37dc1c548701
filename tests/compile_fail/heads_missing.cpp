// SPDX-License-Identifier: MIT
// expect: config: heads must be given
#include "trm/models/model.hpp"

constexpr trm::config c{.tokens = 9, .vocab = 5, .hidden = 32};
constexpr auto n = trm::model<c>::parameter_count;
