// SPDX-License-Identifier: MIT
// What an evaluation of ARC answers reports: pass@k with intervals, shares of telling mistakes, ranked answers of each task.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/data/wilson.hpp"
#include "trm/io/json.hpp"

namespace trm::arc {

/// Which votes count. pooled: all since construction, over the rounds of evaluation, the published default. per_round: those of
/// the last round alone.
enum class voting : std::uint8_t { pooled, per_round };
/// "pooled" or "per_round", as in reports.
inline const char* name(voting how) { return how == voting::pooled ? "pooled" : "per_round"; }

/// pass@k over the test inputs whose output is known. Intervals are Wilson's, 95 %.
struct pass_at {
  std::size_t k;
  /// Mean over tasks of the fraction of the task's test inputs with the right answer among the first k: the published metric.
  double per_task = 0;
  /// The same as a mean over all test inputs: the competition's metric is that of k = 2.
  double per_input = 0;
  /// Tasks as trials, their fractions as successes: on the wide side where tasks have several test inputs.
  interval per_task_interval{};
  interval per_input_interval{};
};

/// A count and what it is a count of.
struct share {
  std::size_t count = 0, of = 0;
  /// 0 where there is nothing to count.
  double value() const { return of == 0 ? 0 : static_cast<double>(count) / static_cast<double>(of); }
  /// One more case, counted or not.
  void add(bool counted) {
    count += counted;
    ++of;
  }
  /// Both sets of cases together.
  share& operator+=(const share& other) {
    count += other.count;
    of += other.of;
    return *this;
  }
};

/// Mistakes that say how an answer is wrong, each among the answers of which it can be said.
struct mistakes {
  /// Another number of rows or columns than the truth, among answers whose truth is known. An empty answer is one of them.
  share shape_errors{};
  /// Equal to the input of the question.
  share copied_inputs{};
  /// Of predictions: canvases that are not well_formed(). Of submissions: what is no grid.
  share malformed_grids{};

  /// One answered grid: its shape against the truth's where that is known, its cells against the question's.
  void add(const grid& input, const std::optional<grid>& truth, const grid& answered) {
    if (truth) shape_errors.add(answered.rows() != truth->rows() || answered.columns() != truth->columns());
    copied_inputs.add(answered == input);
  }
  /// Both sets of predictions together.
  mistakes& operator+=(const mistakes& other) {
    shape_errors += other.shape_errors;
    copied_inputs += other.copied_inputs;
    malformed_grids += other.malformed_grids;
    return *this;
  }
};

/// True where the canvas holds the rectangle `cropped` as encode() writes one into the upper left corner. A rectangle of
/// r x c cells is well-formed if r, c >= 1, all its cells are colours, every cell right below it (row r, columns 0 .. c - 1) is
/// the end token unless r is the canvas's side, and every cell right beside it (column c, rows 0 .. r - 1) is, unless c is
/// the side. No other cell is looked at: training ignores what stands there.
/// If a canvas has a well-formed rectangle it has only one, and crop() finds it: whatever reaches lower or further right from
/// the corner holds an end token. So false for the result of crop() means that there is none, and the grid is malformed.
/// Requires `tokens` to be side * side long and `cropped` to fit.
template <std::integral Token>
bool well_formed(std::span<const Token> tokens, int side, const grid& cropped) {
  const auto ends = [&](int row, int column) {
    return static_cast<std::int64_t>(tokens[static_cast<std::size_t>(row * side + column)]) == eos_token;
  };
  const int rows = cropped.rows(), columns = cropped.columns();
  if (cropped.empty()) return false;
  for (int column = 0; rows < side && column < columns; ++column) {
    if (!ends(rows, column)) return false;
  }
  for (int row = 0; columns < side && row < rows; ++row) {
    if (!ends(row, columns)) return false;
  }
  return true;
}

/// What an evaluation found, over all test inputs; to_json() writes it under the published names.
struct evaluation {
  voting how = voting::pooled;  // how votes were put together
  std::size_t rounds = 0;       // predictions of every row that were counted
  /// Empty where no test input has a known output.
  std::vector<pass_at> passes;
  /// Tasks, and their test inputs; of the latter those whose output is not known, and those without any prediction.
  std::size_t tasks = 0, inputs = 0;
  std::size_t inputs_without_solution = 0;
  std::size_t inputs_without_prediction = 0;
  /// Predictions that were counted, and those whose puzzle or input belongs to no test input.
  std::size_t predictions = 0, unmatched = 0;
  /// Of all test inputs together.
  std::size_t distinct_answers = 0;
  /// Of all predictions that belong to a test input, and of the first answer to each test input (malformed_grids left out:
  /// one answer comes from many canvases).
  mistakes of_predictions, of_first_answers;
};

/// One distinct answer to a test input.
struct answer {
  grid cells;             // the answer
  std::size_t votes = 0;  // predictions that gave it
  /// Mean over its votes of sigmoid(q_halt_logit).
  double confidence = 0;
};

/// A test input with its best answers, to be drawn.
struct input_view {
  grid input;
  std::optional<grid> truth;  // absent where the output is not known
  /// The first of all answers, best first; a submission's attempts have no votes.
  std::vector<answer> answers;
  /// Votes for all answers together, and how many different answers there are.
  std::size_t votes = 0, distinct = 0;
  /// The place of the truth among all answers, 0 for the first.
  std::optional<std::size_t> right_at;

  /// Is the right answer among the first k? False where the output is not known.
  bool solved(std::size_t k) const { return right_at && *right_at < k; }
};

/// A task with its test inputs, to be drawn.
struct task_view {
  std::string id;                  // the task's name
  std::vector<input_view> inputs;  // in the task's order

  /// Every test input has its right answer among the first k. False where an output is not known.
  bool solved(std::size_t k) const {
    return std::ranges::all_of(inputs, [k](const input_view& i) { return i.solved(k); });
  }
};

/// Adds up pass@k, task after task.
class pass_counter {
 public:
  /// Counts for each k of `ks`, in this order.
  explicit pass_counter(std::span<const std::size_t> ks) {
    for (const std::size_t k : ks) passes_.push_back({.k = k});
  }
  /// One task: of each test input whose output is known, where the right answer stands, if it does.
  void add_task(std::span<const std::optional<std::size_t>> right_at) {
    if (right_at.empty()) return;
    for (pass_at& pass : passes_) {
      const auto solved = std::ranges::count_if(right_at, [&](const auto& place) { return place && *place < pass.k; });
      pass.per_task += static_cast<double>(solved) / static_cast<double>(right_at.size());
      pass.per_input += static_cast<double>(solved);
    }
    ++tasks_;
    inputs_ += right_at.size();
  }
  /// Empty where no task was added.
  std::vector<pass_at> result() const {
    if (tasks_ == 0) return {};
    std::vector<pass_at> rates = passes_;
    for (pass_at& pass : rates) {
      const auto tasks = static_cast<double>(tasks_), inputs = static_cast<double>(inputs_);
      pass.per_task_interval = wilson(pass.per_task, tasks);
      pass.per_input_interval = wilson(pass.per_input, inputs);
      pass.per_task /= tasks;
      pass.per_input /= inputs;
    }
    return rates;
  }

 private:
  std::vector<pass_at> passes_;
  std::size_t tasks_ = 0, inputs_ = 0;
};

namespace detail {

inline void put_passes(json& j, std::span<const pass_at> passes, std::size_t inputs, std::size_t without_solution) {
  for (const pass_at& pass : passes) {
    const std::string metric = "ARC/pass@" + std::to_string(pass.k);
    j[metric] = pass.per_task;
    j[metric + " interval"] = {pass.per_task_interval.low, pass.per_task_interval.high};
    j[metric + " of inputs"] = pass.per_input;
    j[metric + " of inputs interval"] = {pass.per_input_interval.low, pass.per_input_interval.high};
  }
  j["solutions"] = without_solution == 0 ? "all" : without_solution == inputs ? "no solutions" : "some";
  j["test_inputs_without_solution"] = without_solution;
}
inline void put_share(json& j, const std::string& metric, const share& s) {
  if (s.of > 0) j[metric] = s.value();
}

}  // namespace detail

/// Rates as fractions under the published names (`ARC/pass@2`), with `... interval` as [low, high] and `... of inputs`; counts
/// as whole numbers. A rate of nothing is left out; "solutions" is "all", "some" or "no solutions".
inline json to_json(const evaluation& e) {
  json j = {{"voting", name(e.how)},
            {"rounds", e.rounds},
            {"tasks", e.tasks},
            {"test_inputs", e.inputs},
            {"test_inputs_without_prediction", e.inputs_without_prediction},
            {"predictions", e.predictions},
            {"predictions_unmatched", e.unmatched},
            {"distinct_answers", e.distinct_answers}};
  detail::put_passes(j, e.passes, e.inputs, e.inputs_without_solution);
  detail::put_share(j, "ARC/shape_errors", e.of_predictions.shape_errors);
  detail::put_share(j, "ARC/copied_inputs", e.of_predictions.copied_inputs);
  detail::put_share(j, "ARC/malformed_grids", e.of_predictions.malformed_grids);
  detail::put_share(j, "ARC/shape_errors of first answers", e.of_first_answers.shape_errors);
  detail::put_share(j, "ARC/copied_inputs of first answers", e.of_first_answers.copied_inputs);
  return j;
}

/// A dataset built from tasks without solutions holds a single cell of colour 0 for every output. Such outputs are taken
/// away again where that is beyond doubt: if every test output is such a cell, and at least one task has no demonstration
/// whose output is a single cell. Returns how many. Real outputs of this kind exist, so where only some are (two test sets,
/// one without solutions) they stay, and are scored as the published evaluator does.
inline std::size_t remove_dummy_solutions(std::span<task> tasks) {
  const auto dummy = [](const example& e) { return e.output && *e.output == grid(1, 1); };
  const auto shows_no_cell = [](const task& t) {
    return std::ranges::none_of(t.train, [](const example& e) { return e.output && e.output->size() == 1; });
  };
  if (!std::ranges::all_of(tasks, [&](const task& t) { return std::ranges::all_of(t.test, dummy); })) return 0;
  if (std::ranges::none_of(tasks, shows_no_cell)) return 0;
  std::size_t removed = 0;
  for (task& t : tasks) {
    for (example& pair : t.test) pair.output.reset();
    removed += t.test.size();
  }
  return removed;
}

}  // namespace trm::arc
