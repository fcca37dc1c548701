// SPDX-License-Identifier: MIT
// The published configuration and the numbers it was trained with, for presets.
#pragma once
#include "trm/models/config.hpp"
#include "trm/train/trainer.hpp"

namespace program {

/// TRM with attention, 512 wide, two layers, three cycles (arXiv 2510.04871): about 7 M parameters.
constexpr trm::config published(int tokens, int vocab, int l_cycles) {
  return {.tokens = tokens,
          .vocab = vocab,
          .hidden = 512,
          .heads = 8,
          .h_cycles = 3,
          .l_cycles = l_cycles,
          .puzzle_positions = 16,
          .puzzle_width = 512};
}

/// The numbers published for Sudoku-Extreme and Maze-Hard, worked through in micro-batches that fit in a CPU's memory.
inline trm::training_options published_training(int micro_batch) {
  trm::training_options o{.batch = 768, .micro_batch = micro_batch};
  o.optimizer.weight_decay = o.puzzle_weight_decay = 1;
  o.puzzle_learning_rate = 1e-4;
  o.schedule.warmup = 2000;
  o.ema_rate = 0.999;
  return o;
}
/// Their 50000 epochs of 1000 puzzles.
inline constexpr long long published_steps = 65104;

}  // namespace program
