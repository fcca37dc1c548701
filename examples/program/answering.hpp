// SPDX-License-Identifier: MIT
// How many supervision steps and attempts an answer is given: options of `evaluate` and `solve`.
#pragma once
#include <string>

#include "any_model.hpp"
#include "run.hpp"

namespace program {

/// How a model answers: all steps for every example, or fewer where it is confident, or several attempts.
struct answering {
  trm::exit_rule exit{.max_steps = 16, .confidence = 1};
  trm::rollouts attempts{};

  /// Every example takes all its steps, a batch at a time.
  bool plain() const { return exit.confidence >= 1 && attempts.count == 1; }
};

/// `stops`: what happens to an example above the confidence; `of_attempts`: what else their number must be.
inline void add_answering_options(CLI::App& command, answering& how, const std::string& stops,
                                  const std::string& of_attempts) {
  command
      .add_option("--max-steps", how.exit.max_steps,
                  "Supervision steps of every example, at most; may be more than it was trained with")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command
      .add_option("--confidence", how.exit.confidence,
                  stops + " where the halting confidence is above this; 1: after --max-steps")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--rollouts", how.attempts.count,
                  "Attempts at every example, with noise on the states; the most confident answers" + of_attempts)
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--noise", how.attempts.noise, "Standard deviation of that noise; states have 1")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--noise-seed", how.attempts.seed, "Its seed")->capture_default_str();
}

}  // namespace program
