// SPDX-License-Identifier: MIT
// The models of trm-maze. Each that is compiled has a source file of its own, preset_*.cpp.
#pragma once
#include "trm/models/config.hpp"
#include "trm/train/trainer.hpp"

namespace trm_maze {

/// The published configuration for Maze-Hard.
inline constexpr trm::config paper{.tokens = 900,
                                   .vocab = 6,
                                   .hidden = 512,
                                   .heads = 8,
                                   .h_cycles = 3,
                                   .l_cycles = 4,
                                   .puzzle_positions = 16,
                                   .puzzle_width = 512};

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
/// The numbers published for Maze-Hard; the batch in micro-batches that fit in a CPU's memory.
inline trm::training_options paper_training() {
  trm::training_options o{.batch = 768, .micro_batch = 8};
  o.optimizer.weight_decay = o.puzzle_weight_decay = 1;
  o.puzzle_learning_rate = 1e-4;
  o.schedule.warmup = 2000;
  o.ema_rate = 0.999;
  return o;
}

}  // namespace trm_maze
