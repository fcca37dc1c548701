// SPDX-License-Identifier: MIT
#include "gradient/models/model.hpp"

namespace {
constexpr trm::config described = [] {
  trm::config c = trm_test::small_model;
  c.architecture = trm::architecture::single_state;
  return c;
}();
}  // namespace

TEST_CASE("one state, a puzzle row narrower than its positions") { CHECK_GRADIENT(trm_test::check_model<described>()); }
