// SPDX-License-Identifier: MIT
#include "gradient/models/model.hpp"

namespace {
constexpr trm::config described = [] {
  trm::config c = trm_test::small_model;
  c.puzzle_width = 16;
  return c;
}();
}  // namespace

TEST_CASE("two states, attention, rope, stablemax") {
  CHECK_GRADIENT(trm_test::check_model<described>({.lengths = {7, 4, 6}}));
}
