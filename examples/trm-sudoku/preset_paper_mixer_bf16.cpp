// SPDX-License-Identifier: MIT
// The published configuration with the token mixer, bf16 as published.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "paper-mixer-bf16",
                                       .about = "the same in bf16, as published",
                                       .make = program::make<trm_sudoku::paper(trm::mixing_kind::tokens), trm::bf16>,
                                       .training = program::published_training(32),
                                       .steps = program::published_steps});
}
