// SPDX-License-Identifier: MIT
// Whole ARC grids, for a CPU.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "small",
                                       .about = "for a CPU; canvas 30",
                                       .make = program::make<trm_arc::small(30), float>,
                                       .training = trm_arc::training(),
                                       .steps = 20000});
}
