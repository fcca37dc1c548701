// SPDX-License-Identifier: MIT
// What the sources say about a dataset's groups, and whether a row is an augmentation of its example.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/core/ignored_label.hpp"
#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/build_options.hpp"
#include "trm/data/arc/build_record.hpp"
#include "trm/data/arc/decode.hpp"
#include "trm/data/arc/group.hpp"
#include "trm/data/arc/row.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/data/dataset.hpp"
#include "trm/io/json.hpp"

namespace trm::arc {

/// What a dataset was built from; the fields are those of build_options.
struct verify_sources {
  std::string source;                // path and prefix of the published files
  std::vector<std::string> subsets;  // names of those that were read
  std::string test_set, test_set2;   // of which the test pairs are held out
  task_filter filter;                // which tasks were taken
};

/// What build.json says that a dataset was built from, to be read from `source`.
/// \throws trm::error where the folder has no build.json, or one that is malformed
inline verify_sources recorded_sources(const std::filesystem::path& folder, const std::string& source) {
  const std::string file = build_record::path_in(folder).string();
  const std::optional<json> record = read_build_record(folder);
  if (!record) throw error(file, "is not there to say what was read: name the subsets and the test sets");
  const json_field from = json_field(*record, file).at("options"), most = from.at("max_tasks");
  verify_sources out{.source = source,
                     .subsets = from.at("subsets").strings(),
                     .test_set = from.at("test_set").string(),
                     .test_set2 = from.at("test_set2").string(),
                     .filter = {}};
  if (out.subsets.empty()) from.at("subsets").expected("the names of subsets");
  out.filter.ids = from.at("tasks").strings();
  out.filter.max_grid_side = static_cast<int>(from.at("max_side").integer(1, max_side));
  if (!most.is_null()) out.filter.max_tasks = static_cast<std::size_t>(most.integer(1));
  return out;
}

namespace detail {

inline bool same_pairs(const std::vector<example>& a, const std::vector<example>& b) {
  return std::ranges::equal(
      a, b, [](const example& x, const example& y) { return x.input == y.input && x.output == y.output; });
}

inline bool passes(const task_filter& filter, const task& t) {
  bool fits = true;
  for_each_grid(t, [&](const grid& g, const std::string&) {
    fits = fits && g.rows() <= filter.max_grid_side && g.columns() <= filter.max_grid_side;
  });
  return fits && (filter.ids.empty() || std::ranges::count(filter.ids, t.id) > 0);
}

/// The groups of the split train, whose tasks are named `order`: of each subset in turn all its tasks, in any order.
/// \throws trm::error where the tasks are others
inline std::vector<group> expect_groups(const verify_sources& from, const std::vector<std::string>& order,
                                        const std::string& place) {
  std::vector<group> groups;
  for (const std::string& subset : from.subsets) {
    std::vector<task> tasks = read_subset(from.source, subset);
    std::erase_if(tasks, [&](const task& t) { return !passes(from.filter, t); });
    const std::size_t count = std::min(tasks.size(), from.filter.max_tasks.value_or(tasks.size()));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = groups.size();
      if (at == order.size()) {
        throw error(place, "ends after " + std::to_string(at) + " groups, subset " + subset + " has " +
                               std::to_string(count - i) + " tasks more");
      }
      const auto found = std::ranges::find(tasks, order[at], &task::id);
      if (found == tasks.end()) {
        throw error(place, "group " + std::to_string(at) + ": subset " + subset + " has no task " +
                               trm::detail::printable(order[at]) + ", or one group of it");
      }
      groups.push_back({std::move(*found), subset == from.test_set || subset == from.test_set2});
      tasks.erase(found);
      for (example& pair : groups.back().source.test) {
        if (!pair.output) pair.output = grid(1, 1);  // as published
      }
    }
  }
  if (groups.size() != order.size()) {
    throw error(place,
                std::to_string(order.size()) + " groups, the subsets have " + std::to_string(groups.size()) + " tasks");
  }
  return groups;
}

/// Compares the rows of a set with what they are made from.
class row_check {
 public:
  /// `all_in_corner`: no row is translated. `place`: of messages.
  row_check(const dataset_set& set, int canvas, bool all_in_corner, std::filesystem::path place)
      : set_(set),
        canvas_(canvas),
        all_in_corner_(all_in_corner),
        place_(std::move(place)),
        inputs_(static_cast<std::size_t>(canvas * canvas)),
        labels_(inputs_.size()),
        expected_(inputs_.size()) {}

  /// The examples that the rows of an unaugmented puzzle hold.
  std::vector<example> decode(std::int64_t puzzle) {
    std::vector<example> examples;
    const index_range rows = set_.rows_of(puzzle);
    for (std::int64_t row = rows.first; row < rows.last; ++row) {
      const auto [top, left] = read(row);
      std::ranges::replace(labels_, ignored_label, std::int32_t{pad_token});
      const std::optional<grid> input = grid_at(inputs_, canvas_, top, left);
      const std::optional<grid> output = grid_at(labels_, canvas_, top, left);
      if (!input) fail("inputs", row, "no grid of colours");
      if (!output) fail("labels", row, "no grid of colours where the input begins");
      examples.push_back({*input, output});
    }
    return examples;
  }

  void check(std::int64_t puzzle, const std::string& name, const augmentation& how,
             std::span<const example* const> examples) {
    const index_range rows = set_.rows_of(puzzle);
    if (rows.size() != static_cast<std::int64_t>(examples.size())) {
      fail("puzzle_indices", rows.first,
           "puzzle " + std::to_string(puzzle) + ", " + trm::detail::printable(name) + ", has " +
               std::to_string(rows.size()) + " rows, its task has " + std::to_string(examples.size()) + " examples");
    }
    const auto input_tokens = tokens_of<std::int32_t>(how.colours);
    const auto label_tokens = label_tokens_of(how.colours, pad_token);
    bool any_in_corner = false;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      const std::int64_t row = rows.first + static_cast<std::int64_t>(i);
      const auto [top, left] = read(row);
      const example& pair = *examples[i];
      const auto [high, wide] = turned_sides(std::max(pair.input.rows(), pair.output->rows()),
                                             std::max(pair.input.columns(), pair.output->columns()), how.transform);
      if (top + high > canvas_ || left + wide > canvas_) {
        fail("inputs", row,
             "begins at (" + std::to_string(top) + ", " + std::to_string(left) + "), where its grids do not fit" +
                 of(puzzle, name, i));
      }
      const bool in_corner = top == 0 && left == 0;
      any_in_corner = any_in_corner || in_corner;
      if (all_in_corner_ && !in_corner) fail("inputs", row, "is not in the corner" + of(puzzle, name, i));
      write_canvas(pair.input, how.transform, input_tokens, canvas_, top, left, expected_.data());
      compare("inputs", inputs_, row, puzzle, name, i);
      write_canvas(*pair.output, how.transform, label_tokens, canvas_, top, left, expected_.data());
      compare("labels", labels_, row, puzzle, name, i);
    }
    if (!any_in_corner) {
      fail("inputs", rows.first, "no row of puzzle " + std::to_string(puzzle) + " is in the corner");
    }
  }

 private:
  [[noreturn]] void fail(const char* field, std::int64_t row, const std::string& what) const {
    std::string file = place_.string();
    if (!set_.is_virtual()) file += std::string(field) + ".npy";
    throw error(file, "row " + std::to_string(row) + ": " + what);
  }
  static std::string of(std::int64_t puzzle, const std::string& name, std::size_t i) {
    return " (example " + std::to_string(i) + " of puzzle " + std::to_string(puzzle) + ", " +
           trm::detail::printable(name) + ")";
  }

  /// Reads the row; where it begins.
  std::pair<int, int> read(std::int64_t row) {
    set_.read(row, inputs_.data(), labels_.data());
    const auto at = grid_place(inputs_, canvas_);
    if (!at) fail("inputs", row, "holds no grid");
    return *at;
  }

  void compare(const char* field, const std::vector<std::int32_t>& found, std::int64_t row, std::int64_t puzzle,
               const std::string& name, std::size_t i) const {
    if (found == expected_) return;
    const auto [here, there] = std::ranges::mismatch(found, expected_);
    const auto token = [](std::int32_t t) { return std::to_string(t == ignored_label ? pad_token : t); };
    fail(field, row,
         "position " + std::to_string(here - found.begin()) + ": token " + token(*here) + ", expected " +
             token(*there) + of(puzzle, name, i));
  }

  const dataset_set& set_;
  int canvas_;
  bool all_in_corner_;
  std::filesystem::path place_;
  std::vector<std::int32_t> inputs_, labels_, expected_;
};

}  // namespace detail
}  // namespace trm::arc
