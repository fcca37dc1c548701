// SPDX-License-Identifier: MIT
// Grades a submission to the ARC competition, anybody's: pass@k, and everything that is missing or malformed by its place.
#pragma once
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/arc/evaluation.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/io/json.hpp"

namespace trm::arc {

/// What grading a submission against known outputs gives.
struct score {
  /// For k = 1, 2 and, where there are more, the largest number of an attempt; empty where no output is known.
  std::vector<pass_at> passes;
  std::size_t tasks = 0, inputs = 0, inputs_without_solution = 0;
  /// Tasks and test inputs that the submission lacks: wrong. An input is missing where it has no attempt that is a grid.
  std::size_t missing_tasks = 0, missing_inputs = 0;
  /// What the submission has beyond: tasks that are not among those graded, test inputs that a task has not. Not graded.
  std::size_t unknown_tasks = 0, surplus_inputs = 0;
  /// Attempts that are grids, and those that are none (wrong).
  std::size_t attempts = 0, malformed_attempts = 0;
  /// Of all attempts, and of the first ones alone.
  mistakes of_attempts, of_first_attempts;
  /// Every task with its attempts, in the order of the tasks: an answer for each attempt, empty where it is malformed.
  std::vector<task_view> views;
  /// One line for everything that is missing, surplus or malformed: `FILE: task ID: [1].attempt_2: row 3 has 4 cells, ...`.
  std::vector<std::string> problems;
};

namespace detail {

class grader {
 public:
  grader(const std::string& file, std::span<const task> tasks) : file_(file), tasks_(tasks), reader_(file) {}

  score grade(const json& submission, std::span<const std::size_t> ks) {
    if (!submission.is_object()) {
      throw error(file_, "expected {\"task\": [{\"attempt_1\": grid, ...}, ...], ...}, found no object");
    }
    result_.tasks = tasks_.size();
    std::set<std::string_view> known;
    for (const task& t : tasks_) {
      if (!known.insert(t.id).second) throw error("task " + t.id, "occurs twice among the tasks to grade");
      grade_task(t, submission);
    }
    for (const auto& [id, unused] : submission.items()) {
      if (known.contains(id)) continue;
      ++result_.unknown_tasks;
      report("task " + id, "is none of the " + std::to_string(tasks_.size()) + " tasks graded, ignored");
    }
    count_passes(ks);
    return std::move(result_);
  }

 private:
  void report(const std::string& at, const std::string& what) {
    result_.problems.push_back(file_ + ": " + trm::detail::printable(at) + ": " + what);
  }

  void grade_task(const task& t, const json& submission) {
    const std::string at = "task " + t.id;
    const auto found = submission.find(t.id);
    const bool missing = found == submission.end(), listed = !missing && found->is_array();
    result_.missing_tasks += missing;
    if (missing) {
      report(at, "is missing, its " + std::to_string(t.test.size()) + " test inputs count as wrong");
    } else if (!listed) {
      report(at, "expected a list with the attempts at each test input, counts as wrong");
    }
    task_view& view = result_.views.emplace_back();
    view.id = t.id;
    for (std::size_t i = 0; i < t.test.size(); ++i) {
      input_view& in = view.inputs.emplace_back();
      in.input = t.test[i].input;
      in.truth = t.test[i].output;
      ++result_.inputs;
      result_.inputs_without_solution += !in.truth;
      const std::string where = at + ": [" + std::to_string(i) + "]";
      if (listed && i >= found->size()) report(where, "is missing, counts as wrong");
      if (listed && i < found->size()) grade_input((*found)[i], where, in);
      result_.missing_inputs += std::ranges::all_of(in.answers, [](const answer& a) { return a.cells.empty(); });
    }
    if (listed && found->size() > t.test.size()) {
      result_.surplus_inputs += found->size() - t.test.size();
      report(at, "has answers to " + std::to_string(found->size()) + " test inputs, the task has " +
                     std::to_string(t.test.size()) + ", the others are ignored");
    }
  }

  /// Attempts by number: `{"attempt_1": grid, ...}` or, in other people's files, a list of grids or one grid.
  void grade_input(const json& value, const std::string& at, input_view& in) {
    std::map<std::size_t, std::pair<std::string, const json*>> attempts;
    if (value.is_object()) {
      for (const auto& [key, cells] : value.items()) {
        if (const auto number = attempt_number(key)) {
          attempts[*number] = {at + "." + key, &cells};
        } else {
          report(at, "\"" + trm::detail::printable(key, 60) + "\" is no attempt_1 to attempt_" +
                         std::to_string(most_attempts) + ", ignored");
        }
      }
    } else if (is_grid_like(value)) {
      attempts[1] = {at, &value};
    } else if (value.is_array()) {
      for (std::size_t a = 0; a < std::min(value.size(), most_attempts); ++a) {
        attempts[a + 1] = {at + "[" + std::to_string(a) + "]", &value[a]};
      }
      if (value.size() > most_attempts)
        report(at, "has more than " + std::to_string(most_attempts) + " attempts, the others are ignored");
    } else {
      report(at, "expected {\"attempt_1\": grid, ...}, counts as wrong");
      return;
    }
    if (attempts.empty()) report(at, "has no attempt, counts as wrong");
    for (const auto& [number, place_and_cells] : attempts) {
      const auto& [place, cells] = place_and_cells;
      grade_attempt(number, read(*cells, place), in);
    }
    in.distinct = in.answers.size();
  }

  void grade_attempt(std::size_t number, const grid& cells, input_view& in) {
    in.answers.resize(number);  // what is left out keeps its place
    in.answers.back().cells = cells;
    ++(cells.empty() ? result_.malformed_attempts : result_.attempts);
    mistakes made;
    made.malformed_grids.add(cells.empty());
    if (!cells.empty()) made.add(in.input, in.truth, cells);
    result_.of_attempts += made;
    if (number == 1) result_.of_first_attempts += made;
    if (!in.right_at && in.truth && cells == *in.truth) in.right_at = number - 1;
  }

  /// Rows of plain values. The reader of tasks says what else is wrong with them.
  static bool is_grid_like(const json& value) {
    return value.is_array() && !value.empty() && std::ranges::all_of(value, [](const json& row) {
             return row.is_array() && std::ranges::none_of(row, [](const json& cell) { return cell.is_structured(); });
           });
  }

  /// Empty where it is no grid.
  grid read(const json& cells, const std::string& at) {
    if (cells.is_structured() && !cells.empty() && !is_grid_like(cells)) {
      report(at, "expected rows of cells, counts as wrong");
      return {};
    }
    try {
      return reader_.read_grid(cells, at);
    } catch (const error& e) {
      result_.problems.push_back(std::string(e.what()) + ", counts as wrong");
      return {};
    }
  }

  static constexpr std::size_t most_attempts = 1000;
  static std::optional<std::size_t> attempt_number(std::string_view key) {
    constexpr std::string_view prefix = "attempt_";
    std::size_t number = 0;
    if (!key.starts_with(prefix) || key.size() == prefix.size() || key[prefix.size()] == '0') return std::nullopt;
    const char* const end = key.data() + key.size();
    const auto [stop, code] = std::from_chars(key.data() + prefix.size(), end, number);
    if (code != std::errc() || stop != end || number > most_attempts) return std::nullopt;
    return number;
  }

  void count_passes(std::span<const std::size_t> ks) {
    std::vector<std::size_t> which(ks.begin(), ks.end());
    if (which.empty()) {
      which = {1, 2};
      std::size_t most = 0;
      for (const task_view& t : result_.views) {
        for (const input_view& in : t.inputs) most = std::max(most, in.answers.size());
      }
      if (most > 2) which.push_back(most);
    }
    pass_counter passes(which);
    std::vector<std::optional<std::size_t>> places;
    for (const task_view& t : result_.views) {
      places.clear();
      for (const input_view& in : t.inputs) {
        if (in.truth) places.push_back(in.right_at);
      }
      passes.add_task(places);
    }
    result_.passes = passes.result();
  }

  std::string file_;
  std::span<const task> tasks_;
  task_reader reader_;
  score result_;
};

}  // namespace detail

/// Grades the text of a submission against `tasks`: `{task: [{"attempt_1": grid, "attempt_2": grid}, ...], ...}`, any number of
/// attempts up to 1000; instead of the object also a list of grids or a single grid. What is missing or malformed is wrong and
/// has its line in `problems`. `ks`: the k of pass@k, as in score::passes where empty.
/// \throws trm::error with `place` on what is no JSON object, or a key twice in one object
inline score grade(std::string_view text, const std::string& place, std::span<const task> tasks,
                   std::span<const std::size_t> ks = {}) {
  return detail::grader(place, tasks).grade(parse_json(text, place), ks);
}

/// The tasks that a submission answers, and where they are from.
struct graded_tasks {
  std::string name;  // where they are from: a file or folder
  std::vector<task> tasks;
};

/// The tasks in `source` that a submission is to be graded against:
///  - a dataset folder: its test_puzzles.json, without dummy outputs;
///  - a folder with NAME_challenges.json and NAME_solutions.json: the collection that has the most of the submission's
///    tasks, of several the one with the fewest others; `subset`, where given, is what NAME ends in;
///  - a file of tasks, or a folder with a file for each.
/// \throws trm::error where two collections fit alike (name the subset) or none does
inline graded_tasks tasks_to_grade(const std::filesystem::path& source, const json& submission,
                                   const std::string& subset = "") {
  std::error_code code;
  const std::filesystem::path puzzles = source / "test_puzzles.json";
  if (std::filesystem::exists(puzzles, code)) {
    graded_tasks held_out{puzzles.string(), read_tasks(puzzles)};
    remove_dummy_solutions(held_out.tasks);
    return held_out;
  }
  constexpr std::string_view ending = "_challenges.json";
  std::set<std::filesystem::path> collections;
  for (std::filesystem::directory_iterator entry(source, code), end; !code && entry != end; entry.increment(code)) {
    const std::string file = entry->path().filename().string();
    if (!file.ends_with(ending)) continue;
    const std::string name = "_" + file.substr(0, file.size() - ending.size());
    if (subset.empty() || name.ends_with("_" + subset)) collections.insert(entry->path());
  }
  if (collections.empty() && !subset.empty()) {
    return {source.string() + " " + subset, read_subset(source.string(), subset)};
  }
  if (collections.empty()) return {source.string(), read_tasks(source)};
  if (!submission.is_object()) throw error("submission", "expected an object with a key for each task");
  graded_tasks best;
  std::size_t best_hits = 0, best_others = 0;
  std::string alike;
  for (const std::filesystem::path& file : collections) {
    graded_tasks candidate{file.string(), read_tasks(file)};
    const auto hits = static_cast<std::size_t>(
        std::ranges::count_if(candidate.tasks, [&](const task& t) { return submission.contains(t.id); }));
    const std::size_t others = candidate.tasks.size() - hits;
    const bool first = best.tasks.empty();
    if (!first && hits == best_hits && others == best_others) alike = file.string();
    if (first || hits > best_hits || (hits == best_hits && others < best_others)) {
      best = std::move(candidate);
      best_hits = hits;
      best_others = others;
      alike.clear();
    }
  }
  if (best_hits == 0 && collections.size() > 1) {
    throw error(source.string(), "none of its " + std::to_string(collections.size()) +
                                     " collections has a task of the submission: name the subset");
  }
  if (!alike.empty()) throw error(source.string(), best.name + " and " + alike + " fit alike: name the subset");
  const std::string solutions = best.name.substr(0, best.name.size() - ending.size()) + "_solutions.json";
  if (std::filesystem::exists(solutions, code)) add_solutions(best.tasks, std::filesystem::path(solutions));
  return best;
}

/// Grades a submission file against the tasks in `source` (tasks_to_grade). `graded`, where given, becomes the name of what it
/// was graded against.
inline score grade_file(const std::filesystem::path& submission, const std::filesystem::path& source,
                        const std::string& subset = "", std::string* graded = nullptr,
                        std::span<const std::size_t> ks = {}) {
  const json answers = read_json(submission);
  const graded_tasks against = tasks_to_grade(source, answers, subset);
  if (graded != nullptr) *graded = against.name;
  return detail::grader(submission.string(), against.tasks).grade(answers, ks);
}

/// Rates as fractions under the published names as for an evaluation, counts as whole numbers, "problems" as lines.
inline json to_json(const score& s) {
  json j = {{"tasks", s.tasks},
            {"test_inputs", s.inputs},
            {"missing_tasks", s.missing_tasks},
            {"missing_inputs", s.missing_inputs},
            {"unknown_tasks", s.unknown_tasks},
            {"surplus_inputs", s.surplus_inputs},
            {"attempts", s.attempts},
            {"malformed_attempts", s.malformed_attempts},
            {"problems", json::array()}};
  for (const std::string& line : s.problems) j["problems"].push_back(line);
  detail::put_passes(j, s.passes, s.inputs, s.inputs_without_solution);
  for (const auto& [made, suffix] :
       {std::pair{&s.of_attempts, ""}, std::pair{&s.of_first_attempts, " of first attempts"}}) {
    detail::put_share(j, std::string("ARC/shape_errors") + suffix, made->shape_errors);
    detail::put_share(j, std::string("ARC/copied_inputs") + suffix, made->copied_inputs);
    detail::put_share(j, std::string("ARC/malformed_grids") + suffix, made->malformed_grids);
  }
  return j;
}

}  // namespace trm::arc
