// SPDX-License-Identifier: MIT
// One puzzle answered step by step, the same for every task.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "any_model.hpp"
#include "run.hpp"

namespace program {

/// The options of `solve` that do not depend on the task.
struct solve_options {
  std::filesystem::path checkpoint;
  std::string preset;  // empty: as the checkpoint says
  int max_steps = 16, threads = 0;
  double confidence = 0.9;  // training halts at 1/2, where one answer in ten of a good model is still wrong
  bool all_steps = false, json = false, quiet = false;
};

inline void add_solve_options(CLI::App& command, solve_options& o) {
  command.add_option("--checkpoint", o.checkpoint, "Weights, as training wrote them")->required()->type_name("FILE");
  command.add_option("--preset", o.preset, "Model, where the checkpoint does not say it");
  command.add_option("--max-steps", o.max_steps, "Supervision steps at most")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--confidence", o.confidence, "Stop where the halting confidence is above this")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  command.add_flag("--all-steps", o.all_steps, "Do not stop where the model is confident");
  command.add_option("--threads", o.threads, "Threads; 0: all processors")
      ->capture_default_str()
      ->check(CLI::Range(0, most_threads));
  command.add_flag("--json", o.json, "Print one JSON object for each puzzle");
  command.add_flag("--quiet", o.quiet, "Print the answers alone");
}

/// The answer after a supervision step.
struct solving_step {
  int number = 0;
  double confidence = 0;    // sigmoid(q_halt)
  std::vector<int> answer;  // tokens
};

/// Supervision steps on one puzzle until the model is confident (unless all are wanted) or `max_steps`; `each` sees every step.
/// Returns the last. Requires a solver of batch size 1; a model with puzzle rows takes row 0.
template <class Each>
solving_step solve(any_solver& solver, std::span<const int> inputs, const solve_options& o, Each each) {
  const std::vector<int> identifier(1, 0);
  solver.begin({inputs, {}, solver.identifiers() > 0 ? std::span<const int>(identifier) : std::span<const int>()});
  solving_step step;
  do {
    solver.step();
    const trm::samples& now = solver.samples();
    step = {step.number + 1, probability(now.halting[0].q_halt), now.predictions};
    each(step);
  } while (step.number < o.max_steps && (o.all_steps || step.confidence <= o.confidence) && !interrupted());
  return step;
}

}  // namespace program
