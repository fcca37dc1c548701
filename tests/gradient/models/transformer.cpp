// SPDX-License-Identifier: MIT
#include "gradient/models/model.hpp"

namespace {
constexpr trm::config described = [] {
  trm::config c = trm_test::small_model;
  c.architecture = trm::architecture::transformer;
  c.positions = trm::position_kind::learned;
  c.loss = trm::loss_kind::softmax;
  return c;
}();
}  // namespace

TEST_CASE("no recursion, learned positions, softmax") { CHECK_GRADIENT(trm_test::check_model<described>()); }
