// SPDX-License-Identifier: MIT
// The run-time numbers of training, and which go together.
#pragma once
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "trm/core/error.hpp"
#include "trm/optim/learning_rate.hpp"
#include "trm/optim/optimizers.hpp"

namespace trm {

/// The run-time numbers of training. The defaults are those published for ARC.
struct training_options {
  int batch = 32;          // samples of an update, over all processes
  int gradient_parts = 1;  // the gradient is the sum, in order, of those of so many parts of the batch; N processes: N
  int micro_batch = 0;     // samples worked through at once, a divisor of batch / gradient_parts; 0: all of them
  int max_steps = 16;      // supervision steps of a sample at most
  double exploration = 0.1;                                       // probability of a drawn minimum of steps
  optimizer_options optimizer = {};                               // of the dense parameters
  double puzzle_learning_rate = 1e-2, puzzle_weight_decay = 0.1;  // of the sparse SignSGD
  learning_rate_schedule schedule = {};                           // a factor on both learning rates
  double ema_rate = 0;                                            // 0: no EMA
  double clip_norm = 0;                                           // largest norm of the gradient; 0: not clipped
  std::size_t puzzle_identifiers = 0;                             // rows of the puzzle table
  bool freeze_weights = false;                                    // train the puzzle table alone
  bool undoable = true;    // keep what undo() and diagnosing need: one more carry
  std::uint64_t seed = 0;  // of initial states drawn, exploration
};

namespace detail {

/// All of them, exactly: equal texts, equal options.
inline std::string text_of(const training_options& o) {
  std::string text;
  const auto add = [&](auto x) { text.append(text.empty() ? "" : " ").append(std::to_string(x)); };
  const auto add_exactly = [&](std::initializer_list<double> values) {
    for (double x : values) add(std::bit_cast<std::uint64_t>(x));
  };
  add(o.batch), add(o.gradient_parts), add(o.micro_batch), add(o.max_steps), add(o.seed), add(o.freeze_weights);
  add(o.schedule.warmup), add(o.schedule.total);
  const optimizer_options& a = o.optimizer;
  add_exactly({o.exploration, a.learning_rate, a.beta1, a.beta2, a.weight_decay, a.epsilon, o.puzzle_learning_rate,
               o.puzzle_weight_decay, o.schedule.min_ratio, o.ema_rate, o.clip_norm});
  return text;
}
/// Throws where options do not fit one another, the number of processes, or a model with puzzle rows or without.
inline void check(const training_options& o, int processes, bool has_puzzle_rows) {
  const auto fail = [](const char* what, const std::string& why) {
    throw error(std::string("training option ") + what, why);
  };
  if (o.batch < 1) fail("batch", "must be at least 1, not " + std::to_string(o.batch));
  if (o.batch % processes != 0) {
    fail("batch", std::to_string(o.batch) + " is no multiple of the number of processes, " + std::to_string(processes));
  }
  if (o.gradient_parts < 1 || o.batch % o.gradient_parts != 0) {
    fail("gradient_parts",
         std::to_string(o.gradient_parts) + " does not divide the batch of " + std::to_string(o.batch));
  }
  if (processes > 1 && o.gradient_parts != processes) {
    fail("gradient_parts", "is " + std::to_string(o.gradient_parts) + ", so start as many processes, or one; not " +
                               std::to_string(processes));
  }
  const int part = o.batch / o.gradient_parts;
  if (o.micro_batch < 0 || (o.micro_batch > 0 && part % o.micro_batch != 0)) {
    fail("micro_batch", std::to_string(o.micro_batch) + " does not divide the batch of " + std::to_string(part) +
                            (part == o.batch ? "" : ", a part of " + std::to_string(o.batch)));
  }
  if (o.max_steps < 1) fail("max_steps", "must be at least 1, not " + std::to_string(o.max_steps));
  if (!(o.exploration >= 0 && o.exploration <= 1)) fail("exploration", "must be a probability");
  if (!(o.ema_rate >= 0 && o.ema_rate < 1)) fail("ema_rate", "must be in [0, 1)");
  if (!(o.clip_norm >= 0)) fail("clip_norm", "must not be negative");
  const auto rate = [&](const char* what, double x) {
    if (!(x >= 0 && std::isfinite(x))) fail(what, "must be finite and not negative");
  };
  rate("learning_rate", o.optimizer.learning_rate), rate("weight_decay", o.optimizer.weight_decay);
  rate("puzzle_learning_rate", o.puzzle_learning_rate), rate("puzzle_weight_decay", o.puzzle_weight_decay);
  rate("epsilon", o.optimizer.epsilon), rate("schedule.min_ratio", o.schedule.min_ratio);
  if (!(o.optimizer.beta1 >= 0 && o.optimizer.beta1 < 1)) fail("beta1", "must be in [0, 1)");
  if (!(o.optimizer.beta2 >= 0 && o.optimizer.beta2 < 1)) fail("beta2", "must be in [0, 1)");
  if (has_puzzle_rows && o.puzzle_identifiers == 0)
    fail("puzzle_identifiers", "the model has puzzle rows: say how many there are");
  if (o.freeze_weights && !has_puzzle_rows) fail("freeze_weights", "the model has no puzzle rows to train instead");
}

}  // namespace detail
}  // namespace trm
