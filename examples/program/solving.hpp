// SPDX-License-Identifier: MIT
// Puzzles answered step by step, the same for every task.
#pragma once
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

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

/// A puzzle of a task and the answer that is being found.
class question {
 public:
  virtual ~question() = default;
  virtual std::string place() const = 0;  // in errors
  virtual std::string text() const = 0;   // in one line
  virtual std::vector<int> tokens() const = 0;
  virtual void check() const = 0;             // throws where it has no answer
  virtual std::string beginning() const = 0;  // what is shown before the first step

  virtual void take(const solving_step&) = 0;  // the answer after a step
  // Of the answer taken last:
  virtual bool solved() const = 0;
  virtual std::string answer() const = 0;                 // in one line
  virtual std::string progress() const = 0;               // "3 cells changed, no conflict"
  virtual std::string drawing() const = 0;                // empty: nothing changed
  virtual std::string plain() const { return answer(); }  // all that --quiet prints
  virtual std::string closing() const { return {}; }      // follows "solved after 3 supervision steps"
};

using questions = std::vector<std::unique_ptr<question>>;

/// Answers one question and prints as the options say; `noun` is what it is called. True: solved.
inline bool answer(any_solver& solver, question& q, const char* noun, const solve_options& o) {
  const bool shown = !o.json && !o.quiet;
  trm::json steps = trm::json::array();
  if (shown) fmt::print("{}", q.beginning());
  const solving_step last = solve(solver, q.tokens(), o, [&](const solving_step& s) {
    q.take(s);
    if (o.json) steps.push_back({{"answer", q.answer()}, {"halting_confidence", s.confidence}});
    if (shown) {
      fmt::print("step {}: {}, halting confidence {:.1f} %\n{}", s.number, q.progress(), 100 * s.confidence,
                 q.drawing());
      std::fflush(stdout);
    }
  });
  if (o.json) {
    const trm::json found{{noun, q.text()},
                          {"answer", q.answer()},
                          {"solved", q.solved()},
                          {"supervision_steps", last.number},
                          {"steps", steps}};
    fmt::print("{}\n", found.dump());
  } else if (o.quiet) {
    fmt::print("{}\n", q.plain());
  } else {
    fmt::print("{} after {} supervision step{}{}\n\n", q.solved() ? "solved" : "not solved", last.number,
               last.number == 1 ? "" : "s", q.closing());
  }
  return q.solved();
}

/// Answers all of them with the checkpoint's model.
/// \throws trm::error where one does not fit the model or has no answer, and, after the last, where one was not solved
inline void answer_all(const questions& all, const char* noun, const solve_options& o) {
  const int cells = all.empty() ? 0 : static_cast<int>(all.front()->tokens().size());
  const auto model = preset_list().of_checkpoint(o.checkpoint, o.preset, cells).make();
  for (const auto& q : all) {
    const std::size_t size = q->tokens().size();
    if (static_cast<int>(size) != model->description().tokens) {
      throw trm::error(q->place(), fmt::format("has {} cells, the model of {} is for {}", size, o.checkpoint.string(),
                                               model->description().tokens));
    }
    q->check();
  }
  const auto solver = model->solver(o.checkpoint, 1, o.threads);
  std::size_t solved = 0;
  for (const auto& q : all) {
    stop_if_interrupted();
    solved += answer(*solver, *q, noun, o);
  }
  if (solved < all.size()) {
    throw trm::error("solve", all.size() == 1
                                  ? "not solved"
                                  : fmt::format("{} of {} {}s not solved", all.size() - solved, all.size(), noun));
  }
}

}  // namespace program
