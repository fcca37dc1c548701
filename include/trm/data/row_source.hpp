// SPDX-License-Identifier: MIT
// One set of a dataset in two parts: which rows belong to which puzzle and group, and where the tokens come from.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/core/ignored_label.hpp"
#include "trm/data/example_source.hpp"

namespace trm {

/// Rows in puzzles, puzzles in groups; of both the boundaries, beginning with 0.
struct set_index {
  std::vector<std::int64_t> puzzle_indices{0};   // puzzle i has rows [i, i + 1)
  std::vector<std::int64_t> group_indices{0};    // group i has puzzles [i, i + 1)
  std::vector<std::int32_t> puzzle_identifiers;  // of every puzzle

  std::int64_t rows() const { return puzzle_indices.back(); }                                    // of the set
  std::int64_t puzzles() const { return static_cast<std::int64_t>(puzzle_indices.size()) - 1; }  // of the set
  std::int64_t groups() const { return static_cast<std::int64_t>(group_indices.size()) - 1; }    // of the set
};

/// The tokens of a set: stored, or made when they are read.
class row_source {
 public:
  virtual ~row_source() = default;
  /// Writes seq_len tokens each, those of [0, vocab_size); labels that do not count are ignored_label. A function of
  /// `row` that may be called by several threads at once.
  /// \throws trm::error where the row is not there or its data is malformed
  virtual void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const = 0;
};

/// A set of a dataset, ready to be read.
struct opened_set {
  set_index index;                         // which rows belong together
  std::unique_ptr<const row_source> rows;  // what they hold
};

namespace detail {

/// `place: ends at 5, but there are 6 rows`.
[[noreturn]] inline void throw_disagreement(const std::string& place, std::int64_t found, const char* what,
                                            std::int64_t wanted) {
  throw error(place, "ends at " + std::to_string(found) + ", but there are " + std::to_string(wanted) + " " + what);
}

/// Boundaries 0 = i[0] <= i[1] <= ... = end; `filled`: nothing may be empty.
inline void check_boundaries(const std::string& place, const std::vector<std::int64_t>& indices, std::int64_t end,
                             const char* what, bool filled) {
  if (indices.empty() || indices.front() != 0) throw error(place, "expected to begin with 0");
  for (std::size_t i = 1; i < indices.size(); ++i) {
    if (indices[i] < indices[i - 1] || (filled && indices[i] == indices[i - 1])) {
      throw error(place, "element " + std::to_string(i) + " is " + std::to_string(indices[i]) + " after " +
                             std::to_string(indices[i - 1]) + (filled ? ": a group without puzzles" : ""));
    }
  }
  if (indices.back() != end) throw_disagreement(place, indices.back(), what, end);
}

/// One identifier a puzzle, each within those that the dataset has.
inline void check_identifiers(const std::string& place, const std::vector<std::int32_t>& identifiers,
                              std::int64_t puzzles, std::int32_t count) {
  const auto found = static_cast<std::int64_t>(identifiers.size());
  if (found != puzzles) throw_disagreement(place, found, "puzzles", puzzles);
  for (std::size_t i = 0; i < identifiers.size(); ++i) {
    if (identifiers[i] < 0 || identifiers[i] >= count) {
      throw error(place, "puzzle " + std::to_string(i) + " has identifier " + std::to_string(identifiers[i]) +
                             ", dataset.json says there are " + std::to_string(count));
    }
  }
}

}  // namespace detail
}  // namespace trm
