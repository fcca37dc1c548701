// SPDX-License-Identifier: MIT
// Puzzles in memory as examples for a trainer, each under symmetries that are drawn when it is read.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/core/random.hpp"
#include "trm/data/example_source.hpp"
#include "trm/data/sudoku/board.hpp"
#include "trm/data/sudoku/csv.hpp"
#include "trm/data/sudoku/symmetry.hpp"

namespace trm::sudoku {

/// An example_source. As in the published dataset a puzzle is a group, and each of its augmentations is a puzzle with one
/// example: number 0 is the puzzle itself, number k > 0 the puzzle under a symmetry that is a function of (seed, puzzle,
/// k). Only the puzzles are stored, a byte a cell. Inputs are the tokens of the question, labels those of the solution;
/// every position counts. The identifier of every puzzle is 0.
class puzzle_source {
 public:
  /// `augmentations`: beside each puzzle itself. They cost no memory and, until they are read, no time.
  explicit puzzle_source(int size, std::int64_t augmentations = 0, std::uint64_t seed = 0)
      : shape_(geometry_of(size)), versions_(augmentations + 1), seed_(seed) {
    if (augmentations < 0 || augmentations >= std::numeric_limits<std::int32_t>::max()) {
      throw error("augmentations", "must be 0 to 2147483646");
    }
  }

  /// \throws trm::error where the puzzle has another size
  void add(const board& question, const board& solution) {
    if (question.size() != shape_.size || solution.size() != shape_.size) {
      throw error("puzzle " + std::to_string(groups()), "has another size than " + std::to_string(shape_.size));
    }
    for (int i = 0; i < shape_.cells(); ++i) {
      cells_.push_back(static_cast<std::uint8_t>(solution[i] << 4 | question[i]));
    }
  }

  /// Puzzles without their augmentations.
  std::int64_t groups() const {
    return static_cast<std::int64_t>(cells_.size() / static_cast<std::size_t>(shape_.cells()));
  }
  // As trm::example_source asks for: a group is a puzzle of the table, its puzzles are its versions under symmetries,
  // of one row each; there are no identifiers.
  std::int64_t puzzles() const { return groups() * versions_; }
  std::int64_t rows() const { return puzzles(); }
  index_range puzzles_of(std::int64_t group) const { return {group * versions_, (group + 1) * versions_}; }
  index_range rows_of(std::int64_t puzzle) const { return {puzzle, puzzle + 1}; }
  std::int64_t longest_puzzle(std::int64_t) const { return 1; }
  std::int32_t puzzle_identifier(std::int64_t) const { return 0; }

  /// Writes size * size tokens each.
  void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const {
    const std::int64_t group = row / versions_, version = row % versions_;
    const auto n = static_cast<std::size_t>(shape_.cells());
    const std::uint8_t* const packed = cells_.data() + static_cast<std::size_t>(group) * n;
    if (version == 0) return unpack(packed, identity_symmetry(), inputs, labels);
    const draws from =
        philox{seed_}.at(purpose::augmentation, static_cast<std::uint64_t>(group), static_cast<std::uint32_t>(version));
    unpack(packed, random_symmetry(shape_.size, from), inputs, labels);
  }

  // Of the table, before any symmetry; 0 <= group < groups().
  board question(std::int64_t group) const { return stored(group, 0); }
  board solution(std::int64_t group) const { return stored(group, 4); }
  int size() const { return shape_.size; }  // rows of the boards

  /// What a trainer and a reader ask of the data.
  dataset_metadata metadata() const {
    dataset_metadata m;
    m.ignore_label_id = 0;
    m.vocab_size = shape_.vocabulary();
    m.seq_len = shape_.cells();
    m.total_groups = groups();
    m.mean_puzzle_examples = 1;
    m.total_puzzles = puzzles();
    m.sets = {"all"};
    return m;
  }

 private:
  void unpack(const std::uint8_t* packed, const symmetry& s, std::int32_t* inputs, std::int32_t* labels) const {
    const auto n = static_cast<std::size_t>(shape_.size);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        const std::size_t row = s.rows[i], column = s.columns[j];
        const std::uint8_t both = packed[s.transpose ? column * n + row : row * n + column];
        *inputs++ = s.digits[both & 15u] + 1;
        *labels++ = s.digits[both >> 4] + 1;
      }
    }
  }
  board stored(std::int64_t group, int shift) const {
    board b(shape_.size);
    for (int i = 0; i < b.cells(); ++i) {
      const auto at = static_cast<std::size_t>(group * b.cells() + i);
      b[i] = static_cast<std::uint8_t>(cells_[at] >> shift & 15);
    }
    return b;
  }

  geometry shape_;
  std::int64_t versions_;
  std::uint64_t seed_;
  std::vector<std::uint8_t> cells_;  // of a puzzle: digit of the question + 16 * digit of the solution
};
static_assert(example_source<puzzle_source>);

/// The puzzles of a table (see puzzle_reader) with at least this rating.
/// \throws trm::error as puzzle_reader, and where none is left
inline puzzle_source read_puzzle_source(const std::filesystem::path& path, std::int64_t augmentations = 0,
                                        std::uint64_t seed = 0, std::int64_t min_rating = 0) {
  puzzle_reader reader(path);
  std::vector<puzzle_source> made;  // when the first row has told the size
  while (reader.next()) {
    if (made.empty()) made.emplace_back(reader.size(), augmentations, seed);
    if (reader.current().rating >= min_rating) made[0].add(reader.current().question, reader.current().solution);
  }
  if (made.empty() || made[0].groups() == 0) {
    throw error(path.string(), "no puzzle with a rating of at least " + std::to_string(min_rating));
  }
  return std::move(made[0]);
}

}  // namespace trm::sudoku
