// SPDX-License-Identifier: MIT
// Boards of 4 x 4, for a CPU.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "small",
                                       .about = "for a CPU; boards of 4 x 4",
                                       .make = program::make<trm_sudoku::small(4), float>,
                                       .training = trm_sudoku::small_training(0.99),
                                       .steps = 2000});
}
