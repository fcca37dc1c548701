// SPDX-License-Identifier: MIT
// expect: model: the head must give .vocab. channels for each token
#include "trm/models/model.hpp"

constexpr trm::config c{.tokens = 9, .vocab = 5, .hidden = 32, .heads = 4};
constexpr auto n = trm::model<c, float, trm::network<c>, trm::linear<6>>::parameter_count;
