// SPDX-License-Identifier: MIT
// Builds a maze dataset in the published format from tables of mazes.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/dataset_writer.hpp"
#include "trm/data/maze/maze_set.hpp"
#include "trm/data/maze/solver.hpp"
#include "trm/data/numpy_random.hpp"
#include "trm/io/partial_folder.hpp"
#include "trm/io/atomic_file.hpp"

namespace trm::maze {

/// What a dataset is made from, and how.
struct build_options {
  /// The tables of the splits "train" and "test" (see csv_rows). Empty for none.
  std::filesystem::path train{}, test{};
  /// Of the training split so many mazes, drawn without replacement; all where there are no more.
  std::optional<std::size_t> subsample{};
  /// Eight puzzles for each maze of the training split: its symmetries.
  bool symmetries = false;
  /// For the subsample. The published builder does not seed its generator; numpy.random.seed(seed) before it gives the
  /// same.
  std::uint32_t seed = 0;
  /// The folder to make. It must not exist, or be empty.
  std::filesystem::path output{};
};

/// Facts about the mazes of a split, which a builder takes as they are.
struct split_report {
  std::string name{};                  // "train" or "test"
  std::size_t mazes = 0, puzzles = 0;  // puzzles: with the symmetries
  /// Questions without exactly one start and one goal, or with marked cells. The following do not count them.
  std::size_t malformed = 0;
  /// Answers that change the maze or mark no path; answers that are paths, but not shortest.
  std::size_t not_a_path = 0, not_shortest = 0;
  /// Mazes with more than one shortest path: of such a label a right answer may differ.
  std::size_t several_shortest = 0;
  /// Steps of the shortest paths; 0 where there are none.
  int shortest_path = 0, longest_path = 0;
};

/// Facts about one maze, added to `report`.
inline void count_facts(const grid& question, const grid& answer, split_report& report) {
  const auto has = [&](cell kind) { return std::ranges::count(question.cells(), kind); };
  if (has(cell::start) != 1 || has(cell::goal) != 1 || has(cell::path) != 0) {
    ++report.malformed;
    return;
  }
  const answer_check check = check_answer(question, answer, answer);
  report.not_a_path += !check.is_path || !check.keeps_maze;
  report.not_shortest += check.is_path && check.keeps_maze && !check.is_shortest;
  if (const auto best = solve(question)) {
    report.several_shortest += best->count > 1;
    report.longest_path = std::max(report.longest_path, best->length());
    report.shortest_path = report.shortest_path == 0 ? best->length() : std::min(report.shortest_path, best->length());
  }
}

namespace detail {

inline void write_split(const std::filesystem::path& folder, const std::string& name, const maze_set& mazes) {
  dataset_writer writer(folder, name, mazes.metadata());
  std::vector<std::int32_t> inputs(static_cast<std::size_t>(mazes.metadata().seq_len)), labels(inputs.size());
  for (std::int64_t maze = 0; maze < mazes.groups(); ++maze) {
    const index_range puzzles = mazes.puzzles_of(maze);
    for (std::int64_t puzzle = puzzles.first; puzzle < puzzles.last; ++puzzle) {
      mazes.read(puzzle, inputs.data(), labels.data());
      writer.add(inputs, labels);
      writer.end_puzzle(0);
    }
    writer.end_group();
  }
  writer.commit();
}

inline split_report report_of(const std::string& name, const maze_set& mazes) {
  split_report report{.name = name,
                      .mazes = static_cast<std::size_t>(mazes.groups()),
                      .puzzles = static_cast<std::size_t>(mazes.puzzles())};
  for (std::int64_t maze = 0; maze < mazes.groups(); ++maze) {
    count_facts(mazes.question(maze), mazes.answer(maze), report);
  }
  return report;
}

}  // namespace detail

/// Builds the dataset `options.output`: `train/`, `test/` and `identifiers.json`. For the same options all files are
/// those of the published builder (build_maze_dataset.py), the arrays byte for byte, but for one number: with
/// symmetries its dataset.json says in total_puzzles how many mazes there are, here it is the number of puzzles. The
/// folder is renamed into place when it is complete.
/// \throws trm::error on malformed tables, splits of different sides, and whatever cannot be written
inline std::vector<split_report> build(const build_options& options) {
  if (options.train.empty() && options.test.empty()) throw error("maze builder", "no table is named");
  if (options.subsample == std::size_t{0}) throw error("maze builder", "a subsample of no mazes");
  partial_folder folder(options.output);  // a folder that cannot be written is found before the work
  std::vector<split_report> reports;
  int side = 0;
  for (const bool training : {true, false}) {
    const std::filesystem::path& table = training ? options.train : options.test;
    if (table.empty()) continue;
    maze_set mazes = maze_set::read_csv(table, training && options.symmetries);
    if (training && options.subsample && *options.subsample < static_cast<std::size_t>(mazes.groups())) {
      const std::vector<std::int64_t> order =
          numpy_random(options.seed).permutation(static_cast<std::size_t>(mazes.groups()));
      mazes = mazes.select(std::span(order).first(*options.subsample));
    }
    if (side != 0 && mazes.side() != side) {
      throw error(table.string(), "mazes of side " + std::to_string(mazes.side()) + ", those of the other split have " +
                                      std::to_string(side));
    }
    side = mazes.side();
    const std::string name = training ? "train" : "test";
    detail::write_split(folder.path(), name, mazes);
    reports.push_back(detail::report_of(name, mazes));
  }
  write_file(folder.path() / "identifiers.json", "[\"<blank>\"]");
  folder.commit();
  return reports;
}

}  // namespace trm::maze
