// SPDX-License-Identifier: MIT
#include "trm/compose/repeat.hpp"

#include "gradient/layers/check.hpp"
#include "trm/compose/chain.hpp"
#include "trm/layers/linear.hpp"
#include "trm/layers/mlp.hpp"
#include "trm/layers/over_tokens.hpp"
#include "trm/layers/post_norm.hpp"

using trm::repeat;
using trm::testing::check_gradient;

TEST_CASE("one, two, three and five layers") {
  using layer = trm::post_norm<trm::mlp<6>>;
  CHECK_GRADIENT((check_gradient<repeat<"layers", 1, layer>, trm::shape{3, 4}>()));
  CHECK_GRADIENT((check_gradient<repeat<"layers", 2, layer>, trm::shape{3, 4}>()));
  CHECK_GRADIENT((check_gradient<repeat<"layers", 3, layer>, trm::shape{3, 4}>()));
  CHECK_GRADIENT((check_gradient<repeat<"layers", 5, layer>, trm::shape{3, 4}>()));
}

TEST_CASE("layers whose gradient begins with dy as it is") {
  CHECK_GRADIENT((check_gradient<repeat<"layers", 4, trm::linear<5, trm::bias::zero>>, trm::shape{3, 5}>()));
}

TEST_CASE("repeats in a chain, along both axes") {
  using mixer = trm::over_tokens<trm::post_norm<trm::mlp<5>>>;
  using block = trm::chain<trm::named<"t", mixer>, trm::named<"c", trm::post_norm<trm::mlp<6>>>>;
  using layers = trm::chain<trm::named<"in", trm::linear<4>>, trm::named<"blocks", repeat<"layers", 2, block>>>;
  CHECK_GRADIENT((check_gradient<layers, trm::shape{3, 6}>()));
}
