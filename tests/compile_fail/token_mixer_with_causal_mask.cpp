// SPDX-License-Identifier: MIT
// expect: config: the token mixer sees every token, so its mask must be bidirectional
#include "trm/models/model.hpp"

constexpr trm::config c{
    .tokens = 9, .vocab = 5, .hidden = 32, .mixing = trm::mixing_kind::tokens, .mask = trm::mask_kind::causal};
constexpr auto n = trm::model<c>::parameter_count;
