// SPDX-License-Identifier: MIT
#include "gradient/models/model.hpp"

namespace {
constexpr trm::config described = [] {
  trm::config c = trm_test::small_model;
  c.architecture = trm::architecture::hrm;
  c.l_cycles = 1;
  c.h_layers = 1;
  return c;
}();
}  // namespace

TEST_CASE("two networks of different depth, q_continue") { CHECK_GRADIENT(trm_test::check_model<described>()); }
