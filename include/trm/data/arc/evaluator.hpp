// SPDX-License-Identifier: MIT
// ARC answers by voting: predictions for the augmentations of a test input, undone and counted; pass@k and the submission.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/json.hpp"

namespace trm::arc {

/// One distinct answer to a test input.
struct answer {
  grid cells;
  std::size_t votes = 0;
  /// Mean over its votes of sigmoid(q_halt_logit).
  double confidence = 0;
};

struct pass_at {
  std::size_t k;
  /// Mean over tasks of the fraction of the task's test inputs with the right answer among the first k: the published metric.
  double per_task;
  /// The same as a mean over all test inputs: the competition's metric is that of k = 2.
  double per_input;
};

struct evaluation {
  std::vector<pass_at> passes;
  std::size_t tasks = 0, inputs = 0;
  std::size_t inputs_without_prediction = 0;
  /// Predictions that were counted, and those whose puzzle or input belongs to no test input.
  std::size_t predictions = 0, unmatched = 0;
};

/// Collects predictions and votes. Memory grows with the number of distinct answers, not of predictions.
/// Every prediction since construction or the last clear() counts: clear() before each round of evaluation for the scores of
/// that round; without it the rounds are pooled, which is what the published evaluator does by default.
class evaluator {
 public:
  static constexpr std::array<std::size_t, 6> published_k = {1, 2, 5, 10, 100, 1000};

  /// `test_puzzles`: the held-out tasks. `identifiers`: the puzzle name of every identifier. `blank`: the identifier of padding.
  evaluator(std::vector<task> test_puzzles, std::vector<std::string> identifiers, std::int64_t blank = 0)
      : tasks_(std::move(test_puzzles)), identifiers_(std::move(identifiers)), blank_(blank) {
    if (tasks_.empty()) throw error("evaluator", "no test puzzles: was the dataset built without a test set?");
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      if (!task_index_.try_emplace(tasks_[t].id, t).second) throw error("task " + tasks_[t].id, "occurs twice");
      for (const example& pair : tasks_[t].test) {
        ballots_.emplace(input_key{t, packed(pair.input)}, ballot{});
        ++inputs_;
      }
    }
  }

  /// For a dataset folder: its test_puzzles.json and identifiers.json.
  static evaluator open(const std::filesystem::path& dataset) {
    const std::filesystem::path puzzles = dataset / "test_puzzles.json", names = dataset / "identifiers.json";
    const json identifiers = read_json(names);
    return evaluator(read_tasks(puzzles), json_field(identifiers, names.string()).strings());
  }

  const std::vector<task>& tasks() const { return tasks_; }

  /// One prediction: the tokens of an augmented test input and of the answer to it, each a whole canvas. Rows with the blank
  /// identifier are padding and skipped.
  /// \throws trm::error on an unknown identifier, one whose name is no puzzle's, a length that is no canvas, a logit that is NaN
  template <std::integral Input, std::integral Output>
  void add(std::int64_t identifier, std::span<const Input> input, std::span<const Output> prediction,
           double q_halt_logit) {
    if (identifier == blank_) return;
    if (identifier < 0 || static_cast<std::uint64_t>(identifier) >= identifiers_.size()) {
      throw error("identifier " + std::to_string(identifier),
                  "the dataset has " + std::to_string(identifiers_.size()) + " identifiers");
    }
    const std::string& name = identifiers_[static_cast<std::size_t>(identifier)];
    if (std::isnan(q_halt_logit)) {
      throw error("puzzle \"" + trm::detail::printable(name) + "\"", "the logit of q_halt is NaN");
    }
    const puzzle_name puzzle = parse_name(name);
    const augmentation undo = puzzle.how.inverse();
    const int side = canvas_side(input.size());
    const grid asked = undo.apply(crop(input, side)), answered = undo.apply(crop(prediction, side));
    ++predictions_;
    ballot* const votes = find_ballot(puzzle.task, asked);
    if (votes == nullptr) {
      ++unmatched_;
      return;
    }
    const auto [entry, fresh] = votes->try_emplace(packed(answered), vote{.order = votes->size()});
    ++entry->second.count;
    entry->second.confidence_sum += 1.0 / (1.0 + std::exp(-q_halt_logit));
  }

  /// Adds the votes of another evaluator of the same tasks, as if they had come after those here (up to the rounding of sums).
  void merge(const evaluator& other) {
    if (other.tasks_.size() != tasks_.size()) throw error("evaluator", "cannot merge the votes on other tasks");
    for (const auto& [key, theirs] : other.ballots_) {
      const auto mine = ballots_.find(key);
      if (mine == ballots_.end() || tasks_[key.task].id != other.tasks_[key.task].id) {
        throw error("evaluator", "cannot merge the votes on other tasks");
      }
      for (const auto* entry : in_order(theirs)) {
        const auto [at, fresh] = mine->second.try_emplace(entry->first, vote{.order = mine->second.size()});
        at->second.count += entry->second.count;
        at->second.confidence_sum += entry->second.confidence_sum;
      }
    }
    predictions_ += other.predictions_;
    unmatched_ += other.unmatched_;
  }

  /// Forgets all predictions.
  void clear() {
    for (auto& [key, votes] : ballots_) votes.clear();
    predictions_ = unmatched_ = 0;
  }

  /// The first `most` answers to a test input: by votes, then by confidence, then as they first came.
  /// Requires task < tasks().size() and test < tasks()[task].test.size().
  std::vector<answer> answers(std::size_t task, std::size_t test, std::size_t most) const {
    const ballot& votes = ballots_.at({task, packed(tasks_.at(task).test.at(test).input)});
    std::vector<const ballot::value_type*> ranking = in_order(votes);
    std::ranges::stable_sort(ranking, [](const auto* a, const auto* b) {
      return a->second.count != b->second.count ? a->second.count > b->second.count : mean(*a) > mean(*b);
    });
    std::vector<answer> best;
    for (std::size_t i = 0; i < std::min(most, ranking.size()); ++i) {
      best.push_back({unpacked(ranking[i]->first), ranking[i]->second.count, mean(*ranking[i])});
    }
    return best;
  }

  /// pass@k for each of `ks`.
  evaluation result(std::span<const std::size_t> ks = published_k) const {
    evaluation all{.passes = {}, .tasks = tasks_.size(), .inputs = inputs_};
    for (const std::size_t k : ks) all.passes.push_back({.k = k, .per_task = 0, .per_input = 0});
    all.predictions = predictions_;
    all.unmatched = unmatched_;
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      std::vector<std::size_t> solved(ks.size(), 0);
      for (std::size_t i = 0; i < tasks_[t].test.size(); ++i) {
        const std::vector<answer> ranking = answers(t, i, static_cast<std::size_t>(-1));
        all.inputs_without_prediction += ranking.empty();
        const auto& target = tasks_[t].test[i].output;
        const auto right = std::ranges::find_if(ranking, [&](const answer& a) { return target && a.cells == *target; });
        const auto place = static_cast<std::size_t>(right - ranking.begin());
        for (std::size_t k = 0; k < ks.size(); ++k) solved[k] += place < std::min(ks[k], ranking.size());
      }
      for (std::size_t k = 0; k < ks.size(); ++k) {
        all.passes[k].per_task += static_cast<double>(solved[k]) / static_cast<double>(tasks_[t].test.size());
        all.passes[k].per_input += static_cast<double>(solved[k]);
      }
    }
    for (pass_at& pass : all.passes) {
      pass.per_task /= static_cast<double>(tasks_.size());
      pass.per_input /= static_cast<double>(inputs_);
    }
    return all;
  }

  struct submission_options {
    std::size_t attempts = 2;
    /// Leaves out test inputs without a prediction and writes empty answers as `[]`, as the published evaluator does.
    bool published_layout = false;
  };

  /// Kaggle's submission: `{task: [{"attempt_1": grid, "attempt_2": grid}, ...]}`, every task and every test input in order.
  /// Where there are fewer answers than attempts the first is repeated; where there is none, or an empty one, a single cell of
  /// colour 0 is written.
  std::string submission(submission_options options) const {
    std::string text = "{";
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      text += (t == 0 ? "" : ",") + json(tasks_[t].id).dump() + ":[";
      bool first = true;
      for (std::size_t i = 0; i < tasks_[t].test.size(); ++i) {
        std::vector<answer> best = answers(t, i, options.attempts);
        if (best.empty() && options.published_layout) continue;
        if (best.empty()) best.emplace_back();
        best.resize(options.attempts, best.front());
        text += std::exchange(first, false) ? "{" : ",{";
        for (std::size_t a = 0; a < best.size(); ++a) {
          const bool fill = best[a].cells.empty() && !options.published_layout;
          if (a > 0) text += ',';
          text += "\"attempt_";
          text += std::to_string(a + 1);
          text += "\":";
          text += to_json(fill ? grid(1, 1) : best[a].cells);
        }
        text += '}';
      }
      text += ']';
    }
    return text + "}";
  }
  std::string submission() const { return submission(submission_options()); }

  void write_submission(const std::filesystem::path& path, submission_options options) const {
    write_file(path, submission(options));
  }
  void write_submission(const std::filesystem::path& path) const { write_submission(path, submission_options()); }

 private:
  struct vote {
    std::size_t order;  // of first appearance among the answers to its input
    std::size_t count = 0;
    double confidence_sum = 0;
  };
  using ballot = std::unordered_map<std::string, vote>;  // by packed answer
  struct input_key {
    std::size_t task;
    std::string input;  // packed
    friend bool operator==(const input_key&, const input_key&) = default;
  };
  struct input_key_hash {
    std::size_t operator()(const input_key& k) const {
      return std::hash<std::string>()(k.input) ^ (k.task * 0x9e3779b97f4a7c15u);
    }
  };

  /// Rows, columns, cells: the bytes whose SHA-256 the published evaluator compares. The bytes themselves are exact.
  static std::string packed(const grid& g) {
    std::string bytes = {static_cast<char>(g.rows()), static_cast<char>(g.columns())};
    bytes.append(g.cells().begin(), g.cells().end());
    return bytes;
  }
  static grid unpacked(const std::string& bytes) {
    if (bytes[0] == 0) return {};
    grid g(bytes[0], bytes[1]);
    std::copy(bytes.begin() + 2, bytes.end(), g.cells().begin());
    return g;
  }

  ballot* find_ballot(const std::string& name, const grid& input) {
    const auto task = task_index_.find(name);
    if (task == task_index_.end()) return nullptr;
    const auto found = ballots_.find({task->second, packed(input)});
    return found == ballots_.end() ? nullptr : &found->second;
  }

  static double mean(const ballot::value_type& entry) {
    return entry.second.confidence_sum / static_cast<double>(entry.second.count);
  }
  static std::vector<const ballot::value_type*> in_order(const ballot& votes) {
    std::vector<const ballot::value_type*> order(votes.size());
    for (const auto& entry : votes) order[entry.second.order] = &entry;
    return order;
  }

  std::vector<task> tasks_;
  std::vector<std::string> identifiers_;
  std::int64_t blank_;
  std::unordered_map<std::string, std::size_t> task_index_;
  std::unordered_map<input_key, ballot, input_key_hash> ballots_;
  std::size_t inputs_ = 0, predictions_ = 0, unmatched_ = 0;
};

}  // namespace trm::arc
