// SPDX-License-Identifier: MIT
// The models of trm-toy: a step takes about a millisecond. Each has a source file of its own.
#pragma once
#include "program/compiled_model.hpp"
#include "toy_rows.hpp"

namespace trm_toy {

constexpr trm::config plain{.tokens = tokens,
                            .vocab = words,
                            .hidden = 32,
                            .heads = 2,
                            .layers = 1,
                            .h_cycles = 2,
                            .l_cycles = 2,
                            .expansion = 2,
                            .width_multiple = 16};

constexpr trm::config with_rows() {
  trm::config c = plain;
  c.puzzle_positions = 1;
  c.puzzle_width = c.hidden;
  return c;
}

/// Every third sample or so halts at a step, so that a stopped run has samples at all their steps.
inline trm::training_options training() {
  trm::training_options o{.batch = 8, .max_steps = 5, .exploration = 0.3};
  o.optimizer.learning_rate = 1e-2;
  o.schedule.warmup = 10;
  o.schedule.min_ratio = 0.1;
  return o;
}

}  // namespace trm_toy
