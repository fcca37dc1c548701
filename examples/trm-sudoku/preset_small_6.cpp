// SPDX-License-Identifier: MIT
// Boards of 6 x 6, for a CPU.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "small",
                                       .about = "for a CPU; boards of 6 x 6",
                                       .make = program::make<trm_sudoku::small(6), float>,
                                       .training = trm_sudoku::small_training(0.999),
                                       .steps = 7000});
}
