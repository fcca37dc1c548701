// SPDX-License-Identifier: MIT
// Puzzle rows, float32.
#include "models.hpp"

namespace {
const program::registered_preset here({.name = "rows",
                                       .about = "puzzle rows",
                                       .make = program::make<trm_toy::with_rows(), float>,
                                       .training = trm_toy::training(),
                                       .steps = 300});
}  // namespace
