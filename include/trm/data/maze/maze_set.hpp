// SPDX-License-Identifier: MIT
// Mazes in memory as examples to train on, with their symmetries.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/example_source.hpp"
#include "trm/data/maze/csv.hpp"
#include "trm/data/maze/grid.hpp"
#include "trm/data/maze/symmetry.hpp"

namespace trm::maze {

/// Mazes of one side: an example_source. A maze is a group; its puzzles, of one row each, are the maze alone or, with
/// symmetries, its eight transforms, which are worked out when they are read: row 8 m + t is maze m under transform t.
/// Every puzzle has identifier 0, as published.
class maze_set {
 public:
  /// Every maze as it is, or in all eight symmetries of the square.
  explicit maze_set(bool symmetries = false) : variants_(symmetries ? dihedral_transforms : 1) {}

  /// All mazes of a table (see csv_rows).
  /// \throws trm::error where it is malformed or has none
  static maze_set read_csv(const std::filesystem::path& file, bool symmetries = false) {
    maze_set set(symmetries);
    csv_rows table(file);
    while (table.next()) set.add(table.row().question, table.row().answer);
    if (set.groups() == 0) throw error(file.string(), "no mazes behind the header");
    return set;
  }

  /// \throws trm::error where a side is not that of the mazes before
  void add(const grid& question, const grid& answer) {
    if (side_ == 0) side_ = question.side();
    if (question.side() != side_ || answer.side() != side_ || side_ == 0) {
      throw error("maze set", "mazes of different sides");
    }
    cells_.insert(cells_.end(), question.cells().begin(), question.cells().end());
    cells_.insert(cells_.end(), answer.cells().begin(), answer.cells().end());
  }

  /// The mazes of these numbers, in this order.
  /// \throws trm::error where one is not below groups()
  maze_set select(std::span<const std::int64_t> numbers) const {
    maze_set chosen(variants_ > 1);
    chosen.side_ = side_;
    for (const std::int64_t number : numbers) {
      if (number < 0 || number >= groups()) throw error("maze set", "no maze " + std::to_string(number));
      const auto from = cells_.begin() + number * static_cast<std::int64_t>(2 * size());
      chosen.cells_.insert(chosen.cells_.end(), from, from + static_cast<std::int64_t>(2 * size()));
    }
    return chosen;
  }

  /// 0 while there are no mazes.
  int side() const { return side_; }
  /// What a model needs to know; requires a maze.
  dataset_metadata metadata() const {
    return {.pad_id = pad_token,
            .ignore_label_id = pad_token,
            .vocab_size = vocabulary,
            .seq_len = side_ * side_,
            .total_groups = groups(),
            .mean_puzzle_examples = 1,
            .total_puzzles = puzzles(),
            .sets = {"all"}};
  }
  /// Requires 0 <= maze < groups().
  grid question(std::int64_t maze) const { return grid_of(maze, 0); }
  grid answer(std::int64_t maze) const { return grid_of(maze, 1); }  // likewise

  // As trm::example_source asks for: a group is a maze, its puzzles are its symmetries, of one row each; there are no
  // identifiers.
  std::int64_t rows() const { return groups() * variants_; }
  std::int64_t puzzles() const { return rows(); }
  std::int64_t groups() const { return cells_.empty() ? 0 : static_cast<std::int64_t>(cells_.size() / (2 * size())); }
  index_range puzzles_of(std::int64_t group) const { return {group * variants_, (group + 1) * variants_}; }
  index_range rows_of(std::int64_t puzzle) const { return {puzzle, puzzle + 1}; }
  std::int64_t longest_puzzle(std::int64_t) const { return 1; }
  std::int32_t puzzle_identifier(std::int64_t) const { return 0; }
  /// Writes side * side tokens each; requires 0 <= row < rows().
  void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const {
    const cell* const question = cells_.data() + row / variants_ * static_cast<std::int64_t>(2 * size());
    const cell* const answer = question + size();
    const int transform = static_cast<int>(row % variants_);
    std::size_t i = 0;
    for (int r = 0; r < side_; ++r) {
      for (int c = 0; c < side_; ++c, ++i) {
        const std::size_t from = source_cell(side_, transform, r, c);
        inputs[i] = static_cast<std::int32_t>(question[from]);
        labels[i] = static_cast<std::int32_t>(answer[from]);
      }
    }
  }

 private:
  std::size_t size() const { return static_cast<std::size_t>(side_) * static_cast<std::size_t>(side_); }
  grid grid_of(std::int64_t maze, int which) const {
    grid g(side_);
    const auto from = cells_.begin() + (2 * maze + which) * static_cast<std::int64_t>(size());
    for (std::size_t i = 0; i < size(); ++i) g[i] = from[static_cast<std::ptrdiff_t>(i)];
    return g;
  }

  int side_ = 0;
  std::int64_t variants_;
  std::vector<cell> cells_;  // question, answer, question, answer, ...
};
static_assert(example_source<maze_set>);

}  // namespace trm::maze
