// SPDX-License-Identifier: MIT
// expect: over_tokens: does not nest
#include "trm/compose/chain.hpp"
#include "trm/compose/repeat.hpp"
#include "trm/layers/attention.hpp"
#include "trm/layers/linear.hpp"
#include "trm/layers/over_tokens.hpp"
#include "trm/layers/post_norm.hpp"

template <class Layer>
using bound = trm::bound<Layer, trm::shape{4, 8}, trm::numerics<float>>;

constexpr auto out = bound<trm::over_tokens<trm::over_tokens<trm::linear<8>>>>::out;
