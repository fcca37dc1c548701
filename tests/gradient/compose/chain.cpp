// SPDX-License-Identifier: MIT
#include "trm/compose/chain.hpp"

#include "gradient/layers/check.hpp"
#include "trm/layers/attention.hpp"
#include "trm/layers/linear.hpp"
#include "trm/layers/mlp.hpp"
#include "trm/layers/post_norm.hpp"

using trm::chain;
using trm::linear;
using trm::named;
using trm::testing::check_gradient;

TEST_CASE("one layer") { CHECK_GRADIENT((check_gradient<chain<named<"only", linear<4>>>, trm::shape{3, 6}>())); }

TEST_CASE("widths that change from layer to layer") {
  using layers = chain<named<"a", linear<9, trm::bias::zero>>, named<"b", linear<3>>, named<"c", linear<7>>,
                       named<"d", linear<5>>>;
  CHECK_GRADIENT((check_gradient<layers, trm::shape{3, 4}>()));
}

TEST_CASE("a norm below a product and a product below a norm") {
  using layers = chain<named<"norm", trm::post_norm<trm::mlp<8>>>, named<"wide", linear<10>>,
                       named<"norm_2", trm::post_norm<linear<10>>>, named<"narrow", linear<4>>>;
  CHECK_GRADIENT((check_gradient<layers, trm::shape{3, 6}>()));
}

TEST_CASE("chains in chains, with attention, on fewer rows") {
  using inner = chain<named<"attention", trm::post_norm<trm::attention<2>>>, named<"mlp", trm::post_norm<trm::mlp<8>>>>;
  using layers = chain<named<"in", linear<8>>, named<"first", inner>, named<"second", inner>, named<"out", linear<3>>>;
  CHECK_GRADIENT((check_gradient<layers, trm::shape{4, 5}>({.batch = 2, .rows = 3, .lengths = {3, 2}})));
}
