// SPDX-License-Identifier: MIT
#include "gradient/compose/recursion.hpp"
#include "gradient/layers/check.hpp"
#include "trm/layers/linear.hpp"
#include "trm/layers/mlp.hpp"
#include "trm/layers/post_norm.hpp"

using trm_test::check_recursion;

namespace {
constexpr trm::shape input{3, 4};
using net = trm::post_norm<trm::mlp<6>>;
}  // namespace

TEST_CASE("six low-level states, all of them used") {
  CHECK_GRADIENT((check_recursion<trm::six_state<2, 6>, input, net>()));
}

TEST_CASE("six low-level states, some of them never written") {
  CHECK_GRADIENT((check_recursion<trm::six_state<1, 2>, input, net>()));
}

TEST_CASE("two networks, gradient through the last call of each") {
  CHECK_GRADIENT((check_recursion<trm::hierarchical<2, 2>, input, net>()));
}

TEST_CASE("two networks that are not of one kind") {
  using high = trm::post_norm<trm::linear<4, trm::bias::zero>>;
  CHECK_GRADIENT((check_recursion<trm::hierarchical<1, 1>, input, high, net>()));
}
