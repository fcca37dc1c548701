// SPDX-License-Identifier: MIT
#include "gradient/compose/recursion.hpp"
#include "gradient/layers/check.hpp"
#include "trm/layers/attention.hpp"
#include "trm/layers/mlp.hpp"
#include "trm/layers/post_norm.hpp"

using trm_test::check_recursion;

namespace {
constexpr trm::shape input{3, 4};
using net = trm::post_norm<trm::mlp<6>>;
}  // namespace

TEST_CASE("two states") {
  CHECK_GRADIENT((check_recursion<trm::two_state<1, 1>, input, net>()));
  CHECK_GRADIENT((check_recursion<trm::two_state<3, 4>, input, net>()));
}

TEST_CASE("two states, on fewer rows") {
  CHECK_GRADIENT((check_recursion<trm::two_state<2, 2>, input, net>({.rows = 2})));
}

TEST_CASE("one state") { CHECK_GRADIENT((check_recursion<trm::single_state<2, 3>, input, net>())); }

TEST_CASE("no recursion") { CHECK_GRADIENT((check_recursion<trm::no_recursion, input, net>())); }
