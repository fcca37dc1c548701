// SPDX-License-Identifier: MIT
// The published configuration, bf16.
#include "../program/compiled_model.hpp"
#include "presets.hpp"

namespace {
const program::registered_preset here({.name = "paper-bf16",
                                       .about = "the same in bf16, as published",
                                       .make = program::make<trm_arc::paper, trm::bf16>,
                                       .training = trm_arc::training(),
                                       .steps = 100000});
}
