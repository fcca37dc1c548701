// SPDX-License-Identifier: MIT
#include "gradient/models/model.hpp"

namespace {
constexpr trm::config described = [] {
  trm::config c = trm_test::small_model;
  c.mixing = trm::mixing_kind::tokens;
  c.positions = trm::position_kind::learned;
  c.halting = trm::halting_kind::q_continue;
  c.puzzle_positions = c.puzzle_width = 0;
  return c;
}();
}  // namespace

TEST_CASE("token mixer, learned positions, q_continue, no puzzle row") {
  CHECK_GRADIENT(trm_test::check_model<described>());
}
