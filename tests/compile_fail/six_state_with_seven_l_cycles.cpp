// SPDX-License-Identifier: MIT
// expect: config: six_state has at most six l_cycles
#include "trm/models/model.hpp"

constexpr trm::config c{
    .tokens = 9, .vocab = 5, .hidden = 32, .heads = 4, .l_cycles = 7, .architecture = trm::architecture::six_state};
constexpr auto n = trm::model<c>::parameter_count;
