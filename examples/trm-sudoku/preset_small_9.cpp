// SPDX-License-Identifier: MIT
// Boards of 9 x 9, for a CPU.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "small",
                                       .about = "for a CPU; boards of 9 x 9",
                                       .make = program::make<trm_sudoku::small(9), float>,
                                       .training = trm_sudoku::small_training(0.999),
                                       .steps = 20000});
}
