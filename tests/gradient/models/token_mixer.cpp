// SPDX-License-Identifier: MIT
#include "gradient/models/model.hpp"

namespace {
constexpr trm::config described = [] {
  trm::config c = trm_test::small_model;
  c.mixing = trm::mixing_kind::tokens;
  c.positions = trm::position_kind::none;
  return c;
}();
}  // namespace

TEST_CASE("token mixer without positions") {
  // Its recursion bends strongly: with a step of 1e-5 the differences themselves are off by 9e-6, falling with h^2.
  CHECK_GRADIENT(trm_test::check_model<described>({.difference = 1e-6}));
}
