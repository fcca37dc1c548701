// SPDX-License-Identifier: MIT
// The models of trm-arc. Each that is compiled has a source file of its own, preset_*.cpp.
#pragma once
#include "trm/models/config.hpp"
#include "trm/train/trainer.hpp"

namespace trm_arc {

/// The published ARC configuration.
inline constexpr trm::config paper{.tokens = 900,
                                   .vocab = 12,
                                   .hidden = 512,
                                   .heads = 8,
                                   .h_cycles = 3,
                                   .l_cycles = 4,
                                   .puzzle_positions = 16,
                                   .puzzle_width = 512};

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

/// The numbers published for ARC, which are the library's defaults but for these.
inline trm::training_options training() {
  trm::training_options o;
  o.schedule.warmup = 2000;
  o.ema_rate = 0.999;
  return o;
}

}  // namespace trm_arc
