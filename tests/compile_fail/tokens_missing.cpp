// SPDX-License-Identifier: MIT
// expect: config: tokens, vocab and hidden must be given
#include "trm/models/model.hpp"

constexpr trm::config c{.vocab = 5, .hidden = 32, .heads = 4};
constexpr auto n = trm::model<c>::parameter_count;
