// SPDX-License-Identifier: MIT
// Puzzle rows, bf16.
#include "models.hpp"

namespace {
const program::registered_preset here({.name = "bf16",
                                       .about = "puzzle rows in bf16",
                                       .make = program::make<trm_toy::with_rows(), trm::bf16>,
                                       .training = trm_toy::training(),
                                       .steps = 300});
}  // namespace
