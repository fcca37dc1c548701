// SPDX-License-Identifier: MIT
#include "gradient/models/model.hpp"

namespace {
constexpr trm::config described = [] {
  trm::config c = trm_test::small_model;
  c.mask = trm::mask_kind::causal;
  c.positions = trm::position_kind::none;
  c.halting = trm::halting_kind::q_continue;
  return c;
}();
}  // namespace

TEST_CASE("causal mask, q_continue, no positions") { CHECK_GRADIENT(trm_test::check_model<described>()); }
