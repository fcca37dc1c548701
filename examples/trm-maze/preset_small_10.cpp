// SPDX-License-Identifier: MIT
// Mazes of 10 x 10, for a CPU.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "small",
                                       .about = "for a CPU; 10 x 10",
                                       .make = program::make<trm_maze::small(10), float>,
                                       .training = trm_maze::small_training(),
                                       .steps = 5000});
}
