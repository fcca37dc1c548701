// SPDX-License-Identifier: MIT
// Answers to the test inputs of tasks.
#pragma once
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "../program/any_model.hpp"
#include "puzzle_names.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/task.hpp"

namespace trm_arc {

struct predict_options {
  std::filesystem::path checkpoint;
  std::filesystem::path identifiers;  // of the dataset the model was trained on; empty: none
  std::string new_row = "mean";
  std::vector<trm::arc::task> tasks;
  int threads = 0, max_steps = 16;
  bool int8 = false;
};

struct prediction {
  std::string task;
  std::size_t test = 0;  // number of the task's test input
  trm::arc::grid input, output;
  std::optional<trm::arc::grid> truth;
  double confidence = 0;  // sigmoid of q_halt
  bool known_puzzle = false;
};

/// A puzzle that the table does not know gets a row that begins as `new_row` says.
inline std::vector<prediction> predict(const program::any_model& model, const predict_options& o) {
  const auto solver =
      model.solver(o.checkpoint, 1, o.threads, o.int8 ? program::products::int8 : program::products::as_trained);
  const std::map<std::string, int> known = known_puzzles(o.identifiers, solver->identifiers());
  const trm::new_row begins_as = parse_new_row(o.new_row, known);
  std::optional<int> fresh;  // made for the first puzzle that wants it: a mean reads the whole table
  const int tokens = model.description().tokens, side = trm::arc::canvas_side(static_cast<std::size_t>(tokens));
  std::vector<prediction> all;
  for (const trm::arc::task& task : o.tasks) {
    const auto at = known.find(task.id);
    if (at == known.end() && !fresh) fresh = solver->add_row(begins_as);
    for (std::size_t t = 0; t < task.test.size(); ++t) {
      const trm::arc::grid& input = task.test[t].input;
      if (input.rows() > side || input.columns() > side) {
        throw trm::error("task " + task.id, fmt::format("test input {} is {} x {}, the model's canvas {} x {}", t,
                                                        input.rows(), input.columns(), side, side));
      }
      std::vector<int> canvas(static_cast<std::size_t>(tokens));
      trm::arc::encode<int>(input, side, 0, 0, canvas);
      const std::vector<int> identifier{at == known.end() ? *fresh : at->second};
      solver->begin({canvas, {}, identifier});
      for (int s = 0; s < o.max_steps; ++s) solver->step();
      const trm::samples& state = solver->samples();
      all.push_back({task.id, t, input, trm::arc::crop<int>(state.predictions, side), task.test[t].output,
                     program::probability(state.halting[0].q_halt), at != known.end()});
    }
  }
  return all;
}

}  // namespace trm_arc
