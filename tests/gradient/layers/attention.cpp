// SPDX-License-Identifier: MIT
#include "trm/layers/attention.hpp"

#include "gradient/layers/check.hpp"

namespace {
constexpr trm::shape input{6, 8};
using rotated = trm::attention<2>;
}  // namespace

using trm::testing::check_gradient;

TEST_CASE("bidirectional attention with rotary positions") { CHECK_GRADIENT((check_gradient<rotated, input>())); }

TEST_CASE("a run-time length shorter than the static one") {
  CHECK_GRADIENT((check_gradient<rotated, input>({.batch = 3, .rows = 4})));
}

TEST_CASE("keys that are padding") {
  CHECK_GRADIENT((check_gradient<rotated, input>({.batch = 3, .lengths = {6, 1, 4}})));
}

TEST_CASE("padding and a shorter run-time length") {
  CHECK_GRADIENT((check_gradient<rotated, input>({.batch = 2, .rows = 5, .lengths = {3, 5}})));
}

TEST_CASE("no positions") {
  CHECK_GRADIENT((check_gradient<trm::attention<4, trm::bidirectional, trm::no_positions>, input>()));
}
