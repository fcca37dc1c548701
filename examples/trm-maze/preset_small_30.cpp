// SPDX-License-Identifier: MIT
// Mazes of 30 x 30, for a CPU.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "small",
                                       .about = "for a CPU; 30 x 30",
                                       .make = program::make<trm_maze::small(30), float>,
                                       .training = trm_maze::small_training(),
                                       .steps = 20000});
}
