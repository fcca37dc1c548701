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

/// The numbers published for ARC, which are the library's defaults but for these.
inline trm::training_options training() {
  trm::training_options o;
  o.schedule.warmup = 2000;
  o.ema_rate = 0.999;
  return o;
}

}  // namespace trm_arc
