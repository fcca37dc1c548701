// SPDX-License-Identifier: MIT
// Test-time adaptation: puzzle rows of a task and its augmentations, trained on its demonstrations, then votes.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "../program/any_model.hpp"
#include "../program/progress.hpp"
#include "../program/run.hpp"
#include "puzzle_names.hpp"
#include "trm/data/arc/demonstrations.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/evaluator.hpp"
#include "trm/data/arc/task.hpp"

namespace trm_arc {

struct adapt_options {
  std::filesystem::path checkpoint;
  trm::training_options training;
  std::string optimizer;
  long long steps = 200;
  int augmentations = 16, threads = 0;
  std::string new_row;  // empty: rows that the checkpoint knows, else the mean
  bool quiet = false;
};

/// The puzzles of one task: their augmentations, their names, and what their rows begin as.
struct task_puzzles {
  std::vector<trm::arc::augmentation> how;
  std::vector<std::string> names;
  std::vector<trm::new_row> rows;
};

/// Of a task that the checkpoint was trained on the augmentations that it knows come first.
inline task_puzzles puzzles_of(const trm::arc::task& task, const adapt_options& o, trained_rows& from) {
  const std::map<std::string, int>& known = from.known();
  task_puzzles all;
  std::map<int, trm::arc::augmentation> trained;  // by identifier
  const std::string prefix = task.id + std::string(trm::arc::name_separator);
  for (auto at = known.lower_bound(prefix); at != known.end() && at->first.starts_with(prefix); ++at) {
    trained.emplace(at->second, trm::arc::parse_name(at->first).how);
  }
  all.how.emplace_back();
  const auto full = [&] { return all.how.size() > static_cast<std::size_t>(o.augmentations); };
  const auto add = [&](const trm::arc::augmentation& how) {
    if (!full() && std::ranges::find(all.how, how) == all.how.end()) all.how.push_back(how);
  };
  for (const auto& [id, how] : trained) add(how);
  if (!full()) {
    for (const auto& how :
         trm::arc::draw_puzzles_of(task, o.augmentations, static_cast<std::uint32_t>(o.training.seed)))
      add(how);
  }
  all.names = trm::arc::names_of(task, all.how);
  const trm::new_row asked = parse_new_row(o.new_row.empty() ? "mean" : o.new_row, known);
  for (const std::string& name : all.names) {
    const auto at = known.find(name);
    const bool own = at != known.end() && o.new_row.empty();
    all.rows.push_back(own ? trm::new_row::copy_of(at->second) : from.settled(asked));
  }
  return all;
}

/// Asks the test inputs of `task` under every puzzle and adds the answers to `votes`, whose identifiers of the puzzles begin at `first`.
inline void ask(program::any_solver& solver, const trm::arc::task& task, const task_puzzles& puzzles, int side,
                int max_steps, std::size_t first, trm::arc::evaluator& votes) {
  const auto n = static_cast<std::size_t>(solver.batch_size()), tokens = static_cast<std::size_t>(side * side);
  const std::size_t questions = puzzles.how.size() * task.test.size();
  std::vector<int> inputs(n * tokens), identifiers(n);
  for (std::size_t begin = 0; begin < questions; begin += n) {
    for (std::size_t i = 0; i < n; ++i) {  // the last batch is filled with its last question
      const std::size_t question = std::min(begin + i, questions - 1), puzzle = question / task.test.size();
      const trm::arc::grid input = puzzles.how[puzzle].apply(task.test[question % task.test.size()].input);
      trm::arc::encode<int>(input, side, 0, 0, std::span(inputs).subspan(i * tokens, tokens));
      identifiers[i] = static_cast<int>(puzzle);
    }
    solver.begin({inputs, {}, identifiers});
    for (int s = 0; s < max_steps; ++s) solver.step();
    const trm::samples& state = solver.samples();
    for (std::size_t i = 0; i < std::min(n, questions - begin); ++i) {
      votes.add(static_cast<std::int64_t>(first) + identifiers[i],
                std::span<const int>(inputs).subspan(i * tokens, tokens),
                std::span<const int>(state.predictions).subspan(i * tokens, tokens), state.halting[i].q_halt);
    }
    program::stop_if_interrupted();
  }
}

/// What became of the demonstrations: the loss of an example, the mean of the first and of the last tenth of the steps.
struct adapt_progress {
  double loss_before = 0, loss_after = 0, seconds = 0;
};

/// Trains on the demonstrations.
inline adapt_progress adapt(program::any_trainer& trainer, const trm::arc::demonstrations& examples, int side,
                            const adapt_options& o) {
  trm::batch_memory memory(o.training.batch, side * side);
  const trm::batch_view view = memory.view();
  program::progress shown("steps", o.steps, o.quiet);
  const long long window = std::max(1LL, o.steps / 10);
  adapt_progress told;
  const double examples_in_window = static_cast<double>(window) * o.training.batch;
  for (long long step = 1; step <= o.steps; ++step) {
    examples.draw(static_cast<std::uint64_t>(step), view);
    const double loss = trainer.step({view.inputs, view.labels, view.puzzle_identifiers}).metrics.lm_loss;
    if (step <= window) told.loss_before += loss / examples_in_window;
    if (step > o.steps - window) told.loss_after += loss / examples_in_window;
    shown.show(step, [&] { return fmt::format("loss {:.4f}", loss / o.training.batch); });
    program::stop_if_interrupted();
  }
  shown.finish();
  told.seconds = shown.elapsed();
  return told;
}

}  // namespace trm_arc
