// SPDX-License-Identifier: MIT
// The models of trm-sudoku. Each that is compiled has a source file of its own, preset_*.cpp.
#pragma once
#include "../program/published.hpp"

namespace trm_sudoku {

/// The published configuration for Sudoku-Extreme with attention; with `mixing` the token mixer, without positions, which
/// does better there.
constexpr trm::config paper(trm::mixing_kind mixing) {
  trm::config c = program::published(81, 11, 6);
  c.mixing = mixing;
  if (mixing == trm::mixing_kind::tokens) c.positions = trm::position_kind::none;
  return c;
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

/// The numbers of the small ones. Half of the samples draw a minimum of steps: with the published tenth, samples halt so
/// early once the model is good that later steps are no longer trained and lose what they knew.
inline trm::training_options small_training(double ema_rate) {
  trm::training_options o{.batch = 64, .max_steps = 8, .exploration = 0.5};
  o.optimizer.learning_rate = 2e-3;
  o.schedule.warmup = 100;
  o.schedule.min_ratio = 0.05;
  o.ema_rate = ema_rate;
  return o;
}

}  // namespace trm_sudoku
