// SPDX-License-Identifier: MIT
// Halting by comparison with q_continue.
#include "models.hpp"

namespace {
constexpr trm::config deciding() {
  trm::config c = trm_toy::plain;
  c.halting = trm::halting_kind::q_continue;
  return c;
}

const program::registered_preset here({.name = "continue",
                                       .about = "q_continue",
                                       .make = program::make<deciding(), float>,
                                       .training = trm_toy::training(),
                                       .steps = 300});
}  // namespace
