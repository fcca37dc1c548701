// SPDX-License-Identifier: MIT
// The models of trm-arc. Each that is compiled has a source file of its own, preset_*.cpp.
#pragma once
#include "../program/published.hpp"

namespace trm_arc {

/// The published ARC configuration.
inline constexpr trm::config paper = program::published(900, 12, 4);

/// A configuration for a CPU, grids of up to `side` x `side`.
constexpr trm::config small(int side) {
  return {.tokens = side * side,
          .vocab = 12,
          .hidden = 128,
          .heads = 4,
          .h_cycles = 2,
          .l_cycles = 3,
          .puzzle_positions = 4,
          .puzzle_width = 512};
}

/// The smallest that shows how training and adaptation go, on grids of up to 4 x 4.
inline constexpr trm::config toy{.tokens = 16,
                                 .vocab = 12,
                                 .hidden = 64,
                                 .heads = 2,
                                 .layers = 1,
                                 .h_cycles = 1,
                                 .l_cycles = 1,
                                 .expansion = 2,
                                 .width_multiple = 32,
                                 .puzzle_positions = 1,
                                 .puzzle_width = 64};

/// The numbers published for ARC, which are the library's defaults but for these.
inline trm::training_options training() {
  trm::training_options o;
  o.schedule.warmup = 2000;
  o.ema_rate = 0.999;
  return o;
}

inline trm::training_options toy_training() {
  trm::training_options o;
  o.max_steps = 2;
  o.optimizer.learning_rate = 2e-3;
  o.schedule.warmup = 100;
  o.schedule.min_ratio = 0.1;
  o.ema_rate = 0.99;
  return o;
}

}  // namespace trm_arc
