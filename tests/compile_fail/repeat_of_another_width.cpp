// SPDX-License-Identifier: MIT
// expect: repeat: the layer must keep the shape
#include "trm/compose/chain.hpp"
#include "trm/compose/repeat.hpp"
#include "trm/layers/attention.hpp"
#include "trm/layers/linear.hpp"
#include "trm/layers/over_tokens.hpp"
#include "trm/layers/post_norm.hpp"

template <class Layer>
using bound = trm::bound<Layer, trm::shape{4, 8}, trm::numerics<float>>;

constexpr auto out = bound<trm::repeat<"layers", 2, trm::linear<6>>>::out;
