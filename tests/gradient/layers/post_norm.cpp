// SPDX-License-Identifier: MIT
#include "trm/layers/post_norm.hpp"

#include "gradient/layers/check.hpp"
#include "trm/layers/attention.hpp"
#include "trm/layers/linear.hpp"
#include "trm/layers/mlp.hpp"
#include "trm/layers/swiglu.hpp"

using trm::testing::check_gradient;

TEST_CASE("residual and norm around a linear layer") {
  CHECK_GRADIENT((check_gradient<trm::post_norm<trm::linear<7>>, trm::shape{3, 7}>()));
}

TEST_CASE("around attention, with padding") {
  CHECK_GRADIENT(
      (check_gradient<trm::post_norm<trm::attention<2>>, trm::shape{4, 8}>({.batch = 2, .lengths = {4, 2}})));
}

TEST_CASE("around swiglu, with an epsilon that matters") {
  CHECK_GRADIENT((check_gradient<trm::post_norm<trm::swiglu<2>, 0.5>, trm::shape{3, 6}>()));
}

TEST_CASE("around an mlp, on fewer rows than the static length") {
  CHECK_GRADIENT((check_gradient<trm::post_norm<trm::mlp<9>>, trm::shape{4, 5}>({.rows = 3})));
}
