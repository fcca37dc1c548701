// SPDX-License-Identifier: MIT
// Grids up to 10 x 10, for a CPU.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "small",
                                       .about = "for a CPU; canvas 10",
                                       .make = program::make<trm_arc::small(10), float>,
                                       .training = trm_arc::training(),
                                       .steps = 20000});
}
