// SPDX-License-Identifier: MIT
// A small example_source without files: a token says which row it belongs to.
#pragma once
#include <cstdint>
#include <vector>

#include "trm/data/example_source.hpp"

namespace trm_test {

/// groups[g][p]: the number of rows of puzzle p of group g. Inputs of row r are `first_token + r`, labels one more;
/// the identifier of a puzzle is its number.
class generated_examples {
 public:
  generated_examples(const std::vector<std::vector<int>>& groups, std::int32_t first_token = 0,
                     std::int32_t seq_len = 2)
      : first_token_(first_token), seq_len_(seq_len) {
    for (const auto& group : groups) {
      for (const int rows : group) puzzles_.push_back(puzzles_.back() + rows);
      groups_.push_back(static_cast<std::int64_t>(puzzles_.size()) - 1);
    }
  }
  std::int64_t rows() const { return puzzles_.back(); }
  std::int64_t puzzles() const { return static_cast<std::int64_t>(puzzles_.size()) - 1; }
  std::int64_t groups() const { return static_cast<std::int64_t>(groups_.size()) - 1; }
  trm::index_range puzzles_of(std::int64_t g) const { return range(groups_, g); }
  trm::index_range rows_of(std::int64_t p) const { return range(puzzles_, p); }
  std::int32_t puzzle_identifier(std::int64_t p) const { return static_cast<std::int32_t>(p); }
  void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const {
    for (std::int32_t i = 0; i < seq_len_; ++i) {
      inputs[i] = first_token_ + static_cast<std::int32_t>(row);
      labels[i] = inputs[i] + 1;
    }
  }

 private:
  static trm::index_range range(const std::vector<std::int64_t>& v, std::int64_t i) {
    return {v[static_cast<std::size_t>(i)], v[static_cast<std::size_t>(i) + 1]};
  }
  std::int32_t first_token_, seq_len_;
  std::vector<std::int64_t> puzzles_{0}, groups_{0};
};
static_assert(trm::example_source<generated_examples>);

}  // namespace trm_test
