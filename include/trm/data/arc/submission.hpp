// SPDX-License-Identifier: MIT
// The text of a submission to the ARC competition.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/io/json.hpp"

namespace trm::arc {

/// How a submission is written.
struct submission_options {
  std::size_t attempts = 2;  // answers to each test input
  /// The published file, byte for byte: leaves out test inputs without a prediction, writes empty answers as `[]`, and a space
  /// after every comma and colon.
  bool published_layout = false;
};

/// What a submission holds besides predicted answers.
struct submission_counts {
  std::size_t inputs = 0;  // test inputs it answers
  /// Test inputs without a prediction: all their attempts are fillers (in the published layout they are left out).
  std::size_t inputs_without_prediction = 0;
  /// Attempts that are the filler, a single cell of colour 0: of inputs without a prediction, and for empty answers.
  std::size_t fillers = 0;
  /// Attempts that repeat the first because there are fewer answers than attempts.
  std::size_t repeated = 0;
};

/// `{task: [{"attempt_1": grid, "attempt_2": grid}, ...]}`, every task and every test input in order. `best(t, i)` gives at most
/// options.attempts grids for test input i of tasks[t], best first. Where there are fewer the first is repeated; where there is
/// none, or an empty one, a single cell of colour 0 is written.
template <class Best>
std::string submission_text(std::span<const task> tasks, submission_options options, Best best,
                            submission_counts& counts) {
  const std::string comma = options.published_layout ? ", " : ",", colon = options.published_layout ? ": " : ":";
  const auto put_grid = [&](std::string& text, const grid& g) {
    text += '[';
    for (int row = 0; row < g.rows(); ++row) {
      if (row > 0) text += comma;
      text += '[';
      for (int column = 0; column < g.columns(); ++column) {
        if (column > 0) text += comma;
        text += static_cast<char>('0' + g(row, column));
      }
      text += ']';
    }
    text += ']';
  };
  counts = {};
  std::string text = "{";
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    if (t > 0) text += comma;
    text += json(tasks[t].id).dump(-1, ' ', true) + colon + "[";
    bool first = true;
    for (std::size_t i = 0; i < tasks[t].test.size(); ++i) {
      std::vector<grid> attempts = best(t, i);
      ++counts.inputs;
      counts.inputs_without_prediction += attempts.empty();
      if (attempts.empty() && options.published_layout) continue;
      if (attempts.empty()) attempts.resize(options.attempts);
      counts.repeated += options.attempts - attempts.size();
      attempts.resize(options.attempts, attempts.empty() ? grid() : attempts.front());
      if (!std::exchange(first, false)) text += comma;
      text += '{';
      for (std::size_t a = 0; a < attempts.size(); ++a) {
        const bool fill = attempts[a].empty() && !options.published_layout;
        counts.fillers += fill;
        if (a > 0) text += comma;
        text += "\"attempt_";
        text += std::to_string(a + 1);
        text += '"' + colon;
        put_grid(text, fill ? grid(1, 1) : attempts[a]);
      }
      text += '}';
    }
    text += ']';
  }
  return text + "}";
}

/// The counts under the names of a report.
inline json to_json(const submission_counts& c) {
  return {{"submission_inputs", c.inputs},
          {"submission_inputs_without_prediction", c.inputs_without_prediction},
          {"submission_fillers", c.fillers},
          {"submission_repeated_attempts", c.repeated}};
}

}  // namespace trm::arc
