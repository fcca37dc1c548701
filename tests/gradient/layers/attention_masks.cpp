// SPDX-License-Identifier: MIT
#include "gradient/layers/check.hpp"
#include "trm/layers/attention.hpp"

namespace {
constexpr trm::shape input{6, 8};
using causal = trm::attention<2, trm::causal>;
using prefix = trm::attention<2, trm::prefix_causal>;
}  // namespace

using trm::testing::check_gradient;

TEST_CASE("causal mask") { CHECK_GRADIENT((check_gradient<causal, input>())); }

TEST_CASE("causal mask with padding") { CHECK_GRADIENT((check_gradient<causal, input>({.lengths = {4, 2}}))); }

TEST_CASE("prefix mask: no prefix, some of the rows, all of them") {
  CHECK_GRADIENT((check_gradient<prefix, input>({.batch = 3, .prefixes = {0, 3, 6}})));
}

TEST_CASE("prefix mask with padding") {
  CHECK_GRADIENT((check_gradient<prefix, input>({.batch = 3, .lengths = {6, 4, 2}, .prefixes = {2, 3, 4}})));
}

TEST_CASE("prefix mask without prefixes") { CHECK_GRADIENT((check_gradient<prefix, input>())); }
