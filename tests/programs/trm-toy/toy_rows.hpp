// SPDX-License-Identifier: MIT
// Rows of words whose answer is the row itself; of every eighth puzzle it is the words after them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "trm/core/random.hpp"
#include "trm/data/row_source.hpp"

namespace trm_toy {

inline constexpr int tokens = 8, words = 6;

/// Groups of one to three puzzles, puzzles of one to five rows: so batches begin and end anywhere in them.
class toy_rows {
 public:
  toy_rows(std::uint64_t seed, bool held_out) : seed_(seed), held_out_(held_out) {
    for (int group = 0; group < 12; ++group) {
      for (int i = 0; i <= group % 3; ++i) {
        const std::int64_t puzzle = index_.puzzles();
        index_.puzzle_identifiers.push_back(static_cast<std::int32_t>(puzzle) + 1);
        index_.puzzle_indices.push_back(index_.rows() + 1 + puzzle % 5);
      }
      index_.group_indices.push_back(index_.puzzles());
    }
  }
  std::int64_t rows() const { return index_.rows(); }
  std::int64_t puzzles() const { return index_.puzzles(); }
  std::int64_t groups() const { return index_.groups(); }
  trm::index_range puzzles_of(std::int64_t group) const { return range(index_.group_indices, group); }
  trm::index_range rows_of(std::int64_t puzzle) const { return range(index_.puzzle_indices, puzzle); }
  std::int32_t puzzle_identifier(std::int64_t puzzle) const {
    return index_.puzzle_identifiers[static_cast<std::size_t>(puzzle)];
  }
  void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const {
    const auto& ends = index_.puzzle_indices;
    const auto puzzle = std::upper_bound(ends.begin(), ends.end(), row) - ends.begin() - 1;
    const trm::draws word =
        trm::philox{seed_}.at(trm::purpose::user, held_out_ ? 1 : 0, static_cast<std::uint32_t>(row));
    for (int i = 0; i < tokens; ++i) inputs[i] = 1 + static_cast<int>(word.below(words - 1, static_cast<unsigned>(i)));
    for (int i = 0; i < tokens; ++i)
      labels[i] = puzzle_identifier(puzzle) % 8 == 0 ? 1 + inputs[i] % (words - 1) : inputs[i];
  }
  trm::dataset_metadata metadata() const {
    return {.pad_id = 0,
            .vocab_size = words,
            .seq_len = tokens,
            .num_puzzle_identifiers = static_cast<std::int32_t>(puzzles()) + 1,
            .total_groups = groups(),
            .mean_puzzle_examples = static_cast<double>(rows()) / static_cast<double>(puzzles()),
            .total_puzzles = puzzles(),
            .sets = {"all"}};
  }

 private:
  static trm::index_range range(const std::vector<std::int64_t>& ends, std::int64_t i) {
    return {ends[static_cast<std::size_t>(i)], ends[static_cast<std::size_t>(i) + 1]};
  }

  trm::set_index index_;
  std::uint64_t seed_;
  bool held_out_;
};

}  // namespace trm_toy
