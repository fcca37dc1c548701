// SPDX-License-Identifier: MIT
// The published configuration, bf16 as published.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "paper-bf16",
                                       .about = "the same in bf16, as published",
                                       .make = program::make<trm_maze::paper, trm::bf16>,
                                       .training = program::published_training(8),
                                       .steps = program::published_steps});
}
