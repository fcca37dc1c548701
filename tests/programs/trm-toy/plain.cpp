// SPDX-License-Identifier: MIT
// Attention, float32.
#include "models.hpp"

namespace {
const program::registered_preset here({.name = "plain",
                                       .about = "attention",
                                       .make = program::make<trm_toy::plain, float>,
                                       .training = trm_toy::training(),
                                       .steps = 300});
}  // namespace
