// SPDX-License-Identifier: MIT
// expect: post_norm: the inner layer.s output is not kept, but its gradient asks for it
#include "trm/layers/post_norm.hpp"
#include "trm/compose/chain.hpp"
#include "trm/compose/repeat.hpp"
#include "trm/layers/attention.hpp"
#include "trm/layers/linear.hpp"
#include "trm/layers/over_tokens.hpp"

template <class Layer>
using bound = trm::bound<Layer, trm::shape{4, 8}, trm::numerics<float>>;

constexpr auto out = bound<trm::post_norm<trm::post_norm<trm::linear<8>>>>::out;
