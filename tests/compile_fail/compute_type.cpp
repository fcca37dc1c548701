// SPDX-License-Identifier: MIT
// expect: the compute type must be float, trm::bf16 or double
#include "trm/models/model.hpp"

constexpr trm::config c{.tokens = 9, .vocab = 5, .hidden = 32, .heads = 4};
constexpr auto n = trm::model<c, int>::parameter_count;
