// SPDX-License-Identifier: MIT
// The published configuration, float32.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "paper",
                                       .about = "published, 6.8 M parameters, float32",
                                       .make = program::make<trm_maze::paper, float>,
                                       .training = program::published_training(8),
                                       .steps = program::published_steps});
}
