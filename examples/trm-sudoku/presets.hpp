// SPDX-License-Identifier: MIT
// The models of trm-sudoku. Each that is compiled has a source file of its own, preset_*.cpp.
#pragma once
#include "trm/models/config.hpp"
#include "trm/train/trainer.hpp"

namespace trm_sudoku {

/// The published configuration for Sudoku-Extreme with attention; with `mixing` the token mixer, without positions, which
/// does better there.
constexpr trm::config paper(trm::mixing_kind mixing) {
  const bool mixer = mixing == trm::mixing_kind::tokens;
  return {.tokens = 81,
          .vocab = 11,
          .hidden = 512,
          .heads = 8,
          .h_cycles = 3,
          .l_cycles = 6,
          .puzzle_positions = 16,
          .puzzle_width = 512,
          .mixing = mixing,
          .positions = mixer ? trm::position_kind::none : trm::position_kind::rope};
}

/// For a CPU: boards of `size` x `size`.
constexpr trm::config small(int size) {
  return {.tokens = size * size,
          .vocab = size + 2,
          .hidden = 64,
          .heads = 4,
          .layers = 1,
          .h_cycles = 2,
          .l_cycles = 3,
          .expansion = 8.0 / 3,
          .width_multiple = 16,
          .mixing = trm::mixing_kind::tokens,
          .positions = trm::position_kind::none,
          .loss = trm::loss_kind::softmax};
}

/// The numbers of the small ones.
inline trm::training_options small_training() {
  trm::training_options o{.batch = 64, .max_steps = 8};
  o.optimizer.learning_rate = 2e-3;
  o.schedule.warmup = 100;
  o.schedule.min_ratio = 0.05;
  o.ema_rate = 0.99;
  return o;
}
/// The numbers published for Sudoku-Extreme; the batch in micro-batches that fit in a CPU's memory.
inline trm::training_options paper_training() {
  trm::training_options o{.batch = 768, .micro_batch = 32};
  o.optimizer.weight_decay = o.puzzle_weight_decay = 1;
  o.puzzle_learning_rate = 1e-4;
  o.schedule.warmup = 2000;
  o.ema_rate = 0.999;
  return o;
}

}  // namespace trm_sudoku
