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
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/ballot.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/evaluation.hpp"
#include "trm/data/arc/evaluator_state.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/submission.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/json.hpp"

namespace trm::arc {

/// Collects predictions and votes. Memory grows with the number of distinct answers, not of predictions: at most 902 bytes of
/// cells an answer, and what the containers add; a vote for an answer that is known allocates nothing.
/// Votes are kept twice, pooled since construction or clear(), and of the round that begin_round() began.
class evaluator {
 public:
  /// The k of pass@k that the published evaluator reports.
  static constexpr std::array<std::size_t, 6> published_k = {1, 2, 5, 10, 100, 1000};
  /// For the number of answers to be drawn: every one.
  static constexpr std::size_t all_answers = std::numeric_limits<std::size_t>::max();
  /// See trm::arc::submission_options.
  using submission_options = arc::submission_options;

  /// `test_puzzles`: the held-out tasks. `identifiers`: the puzzle name of every identifier. `blank`: the identifier of padding.
  /// A test input without output has no part in pass@k.
  evaluator(std::vector<task> test_puzzles, std::vector<std::string> identifiers, std::int64_t blank = 0)
      : tasks_(std::move(test_puzzles)), identifiers_(std::move(identifiers)), blank_(blank), ballots_(tasks_.size()) {
    if (tasks_.empty()) throw error("evaluator", "no test puzzles: was the dataset built without a test set?");
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      if (!task_index_.try_emplace(tasks_[t].id, t).second) throw error("task " + tasks_[t].id, "occurs twice");
      for (const example& pair : tasks_[t].test) {
        ballots_[t].try_emplace(std::string(detail::packed_grid(pair.input).text()),
                                ballot{.question = pair, .votes = {}});
      }
    }
  }

  /// For a dataset folder: its test_puzzles.json and identifiers.json. Dummy outputs count as unknown (remove_dummy_solutions).
  static evaluator open(const std::filesystem::path& dataset) {
    const std::filesystem::path puzzles = dataset / "test_puzzles.json", names = dataset / "identifiers.json";
    const json identifiers = read_json(names);
    std::vector<task> tasks = read_tasks(puzzles);
    remove_dummy_solutions(tasks);
    return evaluator(std::move(tasks), json_field(identifiers, names.string()).strings());
  }

  const std::vector<task>& tasks() const { return tasks_; }  // what is evaluated, in order

  /// Begins a round of evaluation: the votes per round are forgotten, the pooled ones stay. Not needed for a single round.
  void begin_round() {
    ++rounds_;
    tallies_[index(voting::per_round)] = {};
    for_each_ballot([](ballot& b) {
      b.distinct[index(voting::per_round)] = 0;
      for (auto& [cells, v] : b.votes) v[index(voting::per_round)] = {};
    });
  }

  /// Forgets all predictions and rounds.
  void clear() {
    rounds_ = 0;
    tallies_ = {};
    for_each_ballot([](ballot& b) {
      b.distinct = {};
      b.votes.clear();
    });
  }

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
    const grid predicted = crop(prediction, side);
    const grid asked = undo.apply(crop(input, side)), answered = undo.apply(predicted);
    ballot* const found = find_ballot(puzzle.task, detail::packed_grid(asked).text());
    rounds_ = std::max<std::size_t>(rounds_, 1);
    for (tally& t : tallies_) {
      ++t.predictions;
      t.unmatched += found == nullptr;
      if (found == nullptr) continue;
      t.wrong.add(asked, found->question.output, answered);
      t.wrong.malformed_grids.add(!well_formed(prediction, side, predicted));
    }
    if (found == nullptr) return;
    vote& v = found->vote_for(detail::packed_grid(answered).text());
    const double confidence = 1.0 / (1.0 + std::exp(-q_halt_logit));
    for (const voting how : {voting::pooled, voting::per_round}) found->count(how, v, 1, confidence);
  }

  /// Adds the votes of another evaluator of the same tasks, as if they had come after those here (up to the rounding of sums):
  /// of parts of one round, evaluated apart. Rounds are the larger number of the two.
  void merge(const evaluator& other) {
    if (!same_tasks(other)) throw error("evaluator", "cannot merge the votes on other tasks");
    for (std::size_t t = 0; t < ballots_.size(); ++t) {
      for (const auto& [asked, theirs] : other.ballots_[t]) {
        ballot& mine = ballots_[t].find(asked)->second;
        for (const voting how : {voting::pooled, voting::per_round}) {
          for (const auto* entry : theirs.in_order(how)) {
            const standing& s = entry->second[index(how)];
            mine.count(how, mine.vote_for(entry->first), s.votes, s.confidence_sum);
          }
        }
      }
    }
    for (std::size_t how = 0; how < tallies_.size(); ++how) {
      tallies_[how].predictions += other.tallies_[how].predictions;
      tallies_[how].unmatched += other.tallies_[how].unmatched;
      tallies_[how].wrong += other.tallies_[how].wrong;
    }
    rounds_ = std::max(rounds_, other.rounds_);
  }

  /// All that was counted.
  evaluator_state state() const {
    evaluator_state s;
    s.questions = questions();
    s.rounds = static_cast<std::int64_t>(rounds_);
    for (std::size_t how = 0; how < tallies_.size(); ++how) s.tallies[how] = tallies_[how];
    for_each_ballot([&](const ballot& b) { s.add(b); });
    return s;
  }
  /// Goes on with what state() gave, of an evaluator of the same tasks; what was counted here is forgotten.
  /// \throws trm::error that begins with `place` where it is of other tasks, or nothing that can have been counted
  void restore(const evaluator_state& s, const std::string& place) {
    if (s.questions != questions()) throw error(place, "the votes are on other tasks than the dataset's");
    evaluator_state::reader from(s, place);
    std::vector<detail::text_map<ballot>> restored = ballots_;
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      for_each_question(t, restored[t], [&](ballot& b) { from.read(b); });
    }
    from.finish();
    ballots_ = std::move(restored);
    tallies_ = s.tallies;
    rounds_ = static_cast<std::size_t>(s.rounds);
  }

  /// The first `most` answers to a test input: by votes, then by confidence, then as they first came.
  /// Requires task < tasks().size() and test < tasks()[task].test.size().
  std::vector<answer> answers(std::size_t task, std::size_t test, std::size_t most, voting how = voting::pooled) const {
    return detail::best(ballot_of(task, test).ranking(how), most, how);
  }

  /// A task with the first `most` answers to each of its test inputs.
  task_view view(std::size_t task, std::size_t most, voting how = voting::pooled) const {
    task_view shown{tasks_.at(task).id, {}};
    for (std::size_t i = 0; i < tasks_[task].test.size(); ++i) {
      const example& pair = tasks_[task].test[i];
      const auto ranked = ballot_of(task, i).ranking(how);
      input_view& in = shown.inputs.emplace_back();
      in.input = pair.input;
      in.truth = pair.output;
      in.answers = detail::best(ranked, most, how);
      for (const auto* entry : ranked) in.votes += entry->second[index(how)].votes;
      in.distinct = ranked.size();
      in.right_at = detail::place_of(pair.output, ranked);
    }
    return shown;
  }

  /// pass@k for each of `ks`, over the test inputs whose output is known, and what else is counted.
  evaluation result(std::span<const std::size_t> ks = published_k, voting how = voting::pooled) const {
    const tally& counted = tallies_[index(how)];
    evaluation all;
    all.how = how;
    all.rounds = rounds_;
    all.tasks = tasks_.size();
    all.predictions = counted.predictions;
    all.unmatched = counted.unmatched;
    all.of_predictions = counted.wrong;
    for (const auto& of_task : ballots_) {
      for (const auto& [asked, b] : of_task) all.distinct_answers += b.distinct[index(how)];
    }
    pass_counter passes(ks);
    std::vector<std::optional<std::size_t>> places;
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      places.clear();
      for (std::size_t i = 0; i < tasks_[t].test.size(); ++i) {
        const example& pair = tasks_[t].test[i];
        const auto ranked = ballot_of(t, i).ranking(how);
        ++all.inputs;
        all.inputs_without_solution += !pair.output;
        all.inputs_without_prediction += ranked.empty();
        if (pair.output) places.push_back(detail::place_of(pair.output, ranked));
        if (!ranked.empty()) {
          all.of_first_answers.add(pair.input, pair.output, detail::packed_grid::unpack(ranked[0]->first));
        }
      }
      passes.add_task(places);
    }
    all.passes = passes.result();
    return all;
  }
  evaluation result(voting how) const { return result(published_k, how); }

  /// Kaggle's submission (submission_text) of the best answers; `counts`, where given, says how many of them are none.
  std::string submission(submission_options options, voting how = voting::pooled,
                         submission_counts* counts = nullptr) const {
    const auto attempts = [&](std::size_t t, std::size_t i) {
      std::vector<grid> grids;
      for (answer& a : answers(t, i, options.attempts, how)) grids.push_back(std::move(a.cells));
      return grids;
    };
    submission_counts unused;
    return submission_text(tasks_, options, attempts, counts == nullptr ? unused : *counts);
  }
  std::string submission() const { return submission(submission_options()); }

  /// Writes the submission to a file and says what it holds besides predicted answers. Throws trm::error where it
  /// cannot write.
  submission_counts write_submission(const std::filesystem::path& path, submission_options options,
                                     voting how = voting::pooled) const {
    submission_counts counts;
    write_file(path, submission(options, how, &counts));
    return counts;
  }
  submission_counts write_submission(const std::filesystem::path& path) const {
    return write_submission(path, submission_options());
  }

 private:
  using ballot = detail::ballot;
  using standing = detail::standing;
  using vote = detail::vote;
  using tally = detail::tally;
  static constexpr std::size_t index(voting how) { return detail::index(how); }

  ballot* find_ballot(const std::string& name, std::string_view input) {
    const auto task = task_index_.find(name);
    if (task == task_index_.end()) return nullptr;
    const auto found = ballots_[task->second].find(input);
    return found == ballots_[task->second].end() ? nullptr : &found->second;
  }
  const ballot& ballot_of(std::size_t task, std::size_t test) const {
    return ballots_.at(task).find(detail::packed_grid(tasks_[task].test.at(test).input).text())->second;
  }
  /// Each of a task's ballots once, as its inputs come.
  template <class Ballots, class Visit>
  void for_each_question(std::size_t task, Ballots& of_task, Visit visit) const {
    const std::vector<example>& test = tasks_[task].test;
    for (auto pair = test.begin(); pair != test.end(); ++pair) {
      if (std::ranges::find(test.begin(), pair, pair->input, &example::input) != pair) continue;
      visit(of_task.find(detail::packed_grid(pair->input).text())->second);
    }
  }
  template <class Visit>
  void for_each_ballot(Visit visit) const {
    for (std::size_t t = 0; t < tasks_.size(); ++t) for_each_question(t, ballots_[t], visit);
  }
  template <class Visit>
  void for_each_ballot(Visit visit) {
    for (std::size_t t = 0; t < tasks_.size(); ++t) for_each_question(t, ballots_[t], visit);
  }
  /// A digest of what is asked.
  std::string questions() const {
    sha256 all;
    for (const task& t : tasks_) {
      all.update(std::to_string(t.id.size()) + ":" + t.id + std::to_string(t.test.size()) + ":");
      for (const example& pair : t.test) all.update(detail::packed_grid(pair.input).text());
    }
    return to_hex(all.finish());
  }
  bool same_tasks(const evaluator& other) const {
    return std::ranges::equal(tasks_, other.tasks_, [](const task& a, const task& b) {
      return a.id == b.id && std::ranges::equal(a.test, b.test, {}, &example::input, &example::input);
    });
  }

  std::vector<task> tasks_;
  std::vector<std::string> identifiers_;
  std::int64_t blank_;
  std::unordered_map<std::string, std::size_t> task_index_;
  std::vector<detail::text_map<ballot>> ballots_;  // [task], by packed test input
  std::size_t rounds_ = 0;
  detail::by_voting<tally> tallies_{};
};

}  // namespace trm::arc
