// SPDX-License-Identifier: MIT
#include "trm/layers/over_tokens.hpp"

#include "gradient/layers/check.hpp"
#include "trm/compose/chain.hpp"
#include "trm/layers/linear.hpp"
#include "trm/layers/mlp.hpp"
#include "trm/layers/post_norm.hpp"
#include "trm/layers/swiglu.hpp"

using trm::testing::check_gradient;

namespace {
using mixer = trm::over_tokens<trm::post_norm<trm::swiglu<4>>>;  // as published: the norm runs over the tokens too
}  // namespace

TEST_CASE("a linear layer along the token axis") {
  CHECK_GRADIENT((check_gradient<trm::over_tokens<trm::linear<5, trm::bias::zero>>, trm::shape{5, 4}>()));
}

TEST_CASE("swiglu with residual and norm along the token axis") {
  CHECK_GRADIENT((check_gradient<mixer, trm::shape{5, 6}>()));
}

TEST_CASE("the norm over channels around a layer along the tokens: the product lands first") {
  CHECK_GRADIENT((check_gradient<trm::post_norm<trm::over_tokens<trm::mlp<7>>>, trm::shape{5, 6}>()));
}

TEST_CASE("both axes in turn") {
  using block = trm::chain<trm::named<"mlp_t", mixer>, trm::named<"mlp", trm::post_norm<trm::swiglu<4>>>>;
  CHECK_GRADIENT((check_gradient<block, trm::shape{4, 6}>()));
}
