// SPDX-License-Identifier: MIT
// Puzzles answered step by step, the same for every task.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "answering.hpp"
#include "any_model.hpp"
#include "device_option.hpp"
#include "run.hpp"

namespace program {

/// The options of `solve` that do not depend on the task.
struct solve_options {
  std::filesystem::path checkpoint;
  std::string preset;  // empty: as the checkpoint says
  int threads = 0;
  // Training halts at a confidence of 1/2, where one answer in ten of a good model is still wrong.
  answering how{.exit = {.max_steps = 16, .confidence = 0.9}};
  bool all_steps = false, int8 = false, json = false, quiet = false;
};

inline void add_solve_options(CLI::App& command, solve_options& o) {
  command.add_option("--checkpoint", o.checkpoint, "Weights, as training wrote them")->required()->type_name("FILE");
  command.add_option("--preset", o.preset, "Model, where the checkpoint does not say it");
  add_answering_options(command, o.how, "Stop", "");
  command.add_flag("--all-steps", o.all_steps, "Do not stop where the model is confident: --confidence 1");
  add_device_option(command);
  command.add_option("--threads", o.threads, "Threads; 0: all processors")
      ->capture_default_str()
      ->check(CLI::Range(0, most_threads));
  command.add_flag("--int8", o.int8, int8_option);
  command.add_flag("--json", o.json, "Print one JSON object for each puzzle");
  command.add_flag("--quiet", o.quiet, "Print the answers alone");
}

/// The answer after a supervision step.
struct solving_step {
  int number = 0;
  int attempt = 0;          // whose answer this is
  double confidence = 0;    // sigmoid(q_halt)
  std::vector<int> answer;  // tokens
};

/// Supervision steps on one puzzle until the most confident of the attempts at it is confident (unless all are wanted) or has made
/// max_steps; `each` sees every step. Returns the last. `row`: the puzzle's number, which chooses the noise as in an evaluation.
/// Requires a solver whose batch is the number of attempts; a model with puzzle rows takes row 0.
template <class Each>
solving_step solve(any_solver& solver, std::span<const int> inputs, std::int64_t row, const solve_options& o,
                   Each each) {
  const trm::rollouts& attempts = o.how.attempts;
  std::vector<int> all;
  for (int i = 0; i < attempts.count; ++i) all.insert(all.end(), inputs.begin(), inputs.end());
  const std::vector<int> identifiers(solver.identifiers() > 0 ? static_cast<std::size_t>(attempts.count) : 0, 0);
  solver.begin({all, {}, identifiers});
  solving_step step;
  while (true) {
    solver.step();
    const trm::samples& now = solver.samples();
    const int best = attempts.best(now, 0);
    const float q_halt = now.halting[static_cast<std::size_t>(best)].q_halt;
    const auto answer =
        std::span(now.predictions).subspan(static_cast<std::size_t>(best) * inputs.size(), inputs.size());
    step = {step.number + 1, best, probability(q_halt), {answer.begin(), answer.end()}};
    each(step);
    const bool last = o.all_steps ? step.number >= o.how.exit.max_steps : o.how.exit.stops(q_halt, step.number);
    if (last || interrupted()) return step;
    for (int i = 1; i < attempts.count && attempts.noise > 0; ++i)
      solver.add_noise(i, attempts.noise, attempts.noise_of(0, row, i, step.number));
  }
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
inline bool answer(any_solver& solver, question& q, std::int64_t row, const char* noun, const solve_options& o) {
  const bool several = o.how.attempts.count > 1;
  const bool shown = !o.json && !o.quiet;
  trm::json steps = trm::json::array();
  if (shown) fmt::print("{}", q.beginning());
  const solving_step last = solve(solver, q.tokens(), row, o, [&](const solving_step& s) {
    q.take(s);
    if (o.json) {
      steps.push_back({{"answer", q.answer()}, {"halting_confidence", s.confidence}});
      if (several) steps.back()["attempt"] = s.attempt;
    }
    if (shown) {
      fmt::print("step {}: {}{}, halting confidence {:.1f} %\n{}", s.number,
                 several ? fmt::format("attempt {}, ", s.attempt) : "", q.progress(), 100 * s.confidence, q.drawing());
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
  o.how.attempts.check(o.how.attempts.count);
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
  const auto solver =
      model->solver(o.checkpoint, o.how.attempts.count, o.threads, o.int8 ? products::int8 : products::as_trained);
  std::size_t solved = 0;
  std::int64_t row = 0;
  for (const auto& q : all) {
    stop_if_interrupted();
    solved += answer(*solver, *q, row++, noun, o);
  }
  if (solved < all.size()) {
    throw trm::error("solve", all.size() == 1
                                  ? "not solved"
                                  : fmt::format("{} of {} {}s not solved", all.size() - solved, all.size(), noun));
  }
}

}  // namespace program
