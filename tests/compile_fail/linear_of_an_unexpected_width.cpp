// SPDX-License-Identifier: MIT
// expect: linear: the width that reaches it is not the one it was declared for
#include "trm/compose/chain.hpp"
#include "trm/compose/repeat.hpp"
#include "trm/layers/attention.hpp"
#include "trm/layers/linear.hpp"
#include "trm/layers/over_tokens.hpp"
#include "trm/layers/post_norm.hpp"

template <class Layer>
using bound = trm::bound<Layer, trm::shape{4, 8}, trm::numerics<float>>;

using layers = trm::chain<trm::named<"a", trm::linear<6>>, trm::named<"b", trm::linear<4, trm::bias::none, 8>>>;
constexpr auto out = bound<layers>::out;
