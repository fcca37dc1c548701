// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/isa.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace trm::cpu;

TEST_CASE("a body is run for the level asked for") {
  for (isa level : all_isas) {
    if (level > detect_isa()) continue;
    isa seen = isa::portable;
    int lanes = 0;
    for_isa(level, [&](auto l) TRM_INLINE {
      seen = l.value;
      lanes = l.lanes;
    });
    CHECK(seen == std::min(level, isa::avx512_bf16));  // amx is for products alone
    CHECK(lanes == (level == isa::portable ? 4 : level == isa::avx2 ? 8 : 16));
  }
}

TEST_CASE("the level can be lowered, not raised above the machine's") {
  CHECK(current_isa() == detect_isa());
  use_isa(isa::portable);
  CHECK(current_isa() == isa::portable);
  use_isa(detect_isa());
  if (detect_isa() < isa::avx512_bf16) {
    CHECK_THROWS_AS(use_isa(isa::avx512_bf16), trm::error);
    CHECK(current_isa() == detect_isa());
  }
}
