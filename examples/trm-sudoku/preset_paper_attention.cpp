// SPDX-License-Identifier: MIT
// The published configuration with attention, float32.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "paper-attention",
                                       .about = "published, 9 x 9, attention, float32",
                                       .make = program::make<trm_sudoku::paper(trm::mixing_kind::attention), float>,
                                       .training = program::published_training(32),
                                       .steps = program::published_steps});
}
