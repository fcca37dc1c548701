// SPDX-License-Identifier: MIT
#include "trm/layers/linear.hpp"

#include "gradient/layers/check.hpp"

using trm::testing::check_gradient;

TEST_CASE("linear") { CHECK_GRADIENT((check_gradient<trm::linear<5>, trm::shape{3, 7}>())); }

TEST_CASE("linear with a bias") {
  CHECK_GRADIENT((check_gradient<trm::linear<6, trm::bias::zero>, trm::shape{4, 3}>()));
}

TEST_CASE("linear on fewer rows than its static length") {
  CHECK_GRADIENT((check_gradient<trm::linear<6, trm::bias::zero>, trm::shape{4, 3}>({.rows = 3})));
}
