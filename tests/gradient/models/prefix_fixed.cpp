// SPDX-License-Identifier: MIT
#include "gradient/models/model.hpp"

namespace {
constexpr trm::config described = [] {
  trm::config c = trm_test::small_model;
  c.mask = trm::mask_kind::prefix;
  c.halting = trm::halting_kind::fixed;
  return c;
}();
}  // namespace

TEST_CASE("prefix mask with padding, fixed number of steps") {
  CHECK_GRADIENT(trm_test::check_model<described>({.lengths = {7, 6, 5}, .prefixes = {4, 2, 3}}));
}
