// SPDX-License-Identifier: MIT
// expect: recursion: the network must keep the shape of the state
#include "trm/models/model.hpp"

constexpr trm::config c{.tokens = 9, .vocab = 5, .hidden = 32, .heads = 4};
constexpr auto n = trm::model<c, float, trm::linear<16>>::parameter_count;
