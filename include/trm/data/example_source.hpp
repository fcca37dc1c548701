// SPDX-License-Identifier: MIT
// What a sampler asks of data, be it files or a generator: examples by row, rows in puzzles, puzzles in groups.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trm/core/error.hpp"

namespace trm {

/// [first, last)
struct index_range {
  std::int64_t first = 0, last = 0;
  constexpr std::int64_t size() const { return last - first; }  // last is not among them
};

/// A set of examples. Rows are numbered from 0; every row belongs to one puzzle (one augmentation of a task), every
/// puzzle to one group (a task with all its augmentations); rows of a puzzle and puzzles of a group are consecutive,
/// and a group has at least one puzzle. `read` writes seq_len tokens into `inputs` and `labels` (labels:
/// ignored_label where a position does not count); it is a function of `row`: the same row gives the same tokens
/// whenever and by whomever it is read.
template <class S>
concept example_source = requires(const S& s, std::int64_t i, std::int32_t* tokens) {
  { s.rows() } -> std::convertible_to<std::int64_t>;
  { s.puzzles() } -> std::convertible_to<std::int64_t>;
  { s.groups() } -> std::convertible_to<std::int64_t>;
  { s.puzzles_of(i) } -> std::convertible_to<index_range>;          // of group i
  { s.rows_of(i) } -> std::convertible_to<index_range>;             // of puzzle i
  { s.puzzle_identifier(i) } -> std::convertible_to<std::int32_t>;  // of puzzle i
  s.read(i, tokens, tokens);                                        // row i: inputs, labels
};

/// Rows of the longest puzzle of a group. A source may say it: `longest_puzzle(group)`; else every puzzle of the group is
/// visited, which takes time where a source has many augmentations that are made when they are read.
template <example_source S>
std::int64_t longest_puzzle(const S& s, std::int64_t group) {
  if constexpr (requires {
                  { s.longest_puzzle(group) } -> std::convertible_to<std::int64_t>;
                }) {
    return s.longest_puzzle(group);
  } else {
    const index_range puzzles = s.puzzles_of(group);
    std::int64_t most = 0;
    for (std::int64_t p = puzzles.first; p < puzzles.last; ++p) {
      most = std::max<std::int64_t>(most, index_range(s.rows_of(p)).size());
    }
    return most;
  }
}

/// The fields of dataset.json (the published PuzzleDatasetMetadata).
struct dataset_metadata {
  std::int32_t pad_id = 0;                        // the token of padding
  std::optional<std::int32_t> ignore_label_id{};  // a label equal to it does not count
  std::int32_t blank_identifier_id = 0;           // the identifier that no puzzle has
  std::int32_t vocab_size = 0;                    // tokens are 0 .. vocab_size - 1
  std::int32_t seq_len = 0;                       // tokens of an example
  std::int32_t num_puzzle_identifiers = 1;        // rows of the puzzle table, the blank one among them
  std::int64_t total_groups = 0;                  // over all sets
  double mean_puzzle_examples = 0;                // examples of a puzzle
  std::int64_t total_puzzles = 0;                 // over all sets
  std::vector<std::string> sets{};                // their names, such as "all"
};

/// Supervision steps of a training run: int(epochs * total_groups * mean_puzzle_examples / batch), as published.
inline std::int64_t training_steps(double epochs, const dataset_metadata& data, std::int64_t batch) {
  const double steps =
      epochs * static_cast<double>(data.total_groups) * data.mean_puzzle_examples / static_cast<double>(batch);
  if (batch < 1 || epochs < 0 || !(steps >= 0 && steps < 0x1p62))
    throw error("training_steps", "epochs or batch out of range");
  return static_cast<std::int64_t>(steps);
}

}  // namespace trm
