// SPDX-License-Identifier: MIT
// The models of trm-maze. Each that is compiled has a source file of its own, preset_*.cpp.
#pragma once
#include "../program/published.hpp"

namespace trm_maze {

/// The published configuration for Maze-Hard.
inline constexpr trm::config paper = program::published(900, 6, 4);

/// For a CPU: mazes of `side` x `side`.
constexpr trm::config small(int side) {
  return {.tokens = side * side, .vocab = 6, .hidden = 128, .heads = 4, .h_cycles = 2, .l_cycles = 3};
}

/// The numbers of the small ones.
inline trm::training_options small_training() {
  trm::training_options o{.batch = 32, .max_steps = 8};
  o.optimizer.learning_rate = 1e-3;
  o.schedule.warmup = 100;
  o.schedule.min_ratio = 0.05;
  o.ema_rate = 0.99;
  return o;
}
}  // namespace trm_maze
