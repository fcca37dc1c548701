// SPDX-License-Identifier: MIT
// Grids up to 4 x 4, trained in seconds.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "toy",
                                       .about = "to try things out in seconds; canvas 4",
                                       .make = program::make<trm_arc::toy, float>,
                                       .training = trm_arc::toy_training(),
                                       .steps = 1500});
}
