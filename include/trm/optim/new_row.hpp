// SPDX-License-Identifier: MIT
// Rows for puzzles that a trained table does not know.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/optim/puzzle_rows.hpp"

namespace trm {

/// What a new row begins as: the mean of the table (as the published code fills a table of another size), zero (as training
/// begins), a copy of row `id`, or given numbers (`values`, which must outlive this).
struct new_row {
  /// mean: of all rows; zero; copy: of row `id`; given: `values`.
  enum class kind { mean, zero, copy, given };
  kind what = kind::mean;  // what the row is made from
  int id = 0;
  std::span<const float> values = {};

  static new_row mean() { return {}; }                         // the mean of all rows
  static new_row zero() { return {kind::zero}; }               // zeros
  static new_row copy_of(int id) { return {kind::copy, id}; }  // a copy of row `id`
  /// these values, as many as a row is wide
  static new_row of(std::span<const float> values) { return {kind::given, 0, values}; }
};

/// The mean of all rows, summed in their order in float64. Reads the whole table once. Throws where it has no rows.
template <class Master>
std::vector<Master> mean_row(const puzzle_rows<Master>& table) {
  if (table.rows() == 0) throw error("puzzle table", "has no rows to take the mean of: begin new rows at zero");
  const std::size_t width = table.width();
  std::vector<double> sum(width);
  std::vector<Master> row(width);
  for (std::size_t id = 0; id < table.rows(); ++id) {
    table.read(static_cast<int>(id), row.data());
    for (std::size_t j = 0; j < width; ++j) sum[j] += static_cast<double>(row[j]);
  }
  for (std::size_t j = 0; j < width; ++j) {
    row[j] = static_cast<Master>(sum[j] / static_cast<double>(table.rows()));
  }
  return row;
}

/// The rows `wanted`, [wanted.size(), width], made from `table`. The mean is computed once, and only where it is asked for.
/// Throws where a row to be copied is not there, or what is given is no row.
template <class Master>
std::vector<Master> make_rows(const puzzle_rows<Master>& table, std::span<const new_row> wanted) {
  const std::size_t width = table.width();
  std::vector<Master> rows(wanted.size() * width), mean;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    Master* to = rows.data() + i * width;
    const auto [what, id, values] = wanted[i];
    if (what == new_row::kind::copy) table.read(id, to);
    if (what == new_row::kind::given) {
      if (values.size() != width) {
        throw error("new puzzle row",
                    std::to_string(values.size()) + " numbers given, a row has " + std::to_string(width));
      }
      std::transform(values.begin(), values.end(), to, [](float v) { return static_cast<Master>(v); });
    }
    if (what == new_row::kind::mean) {
      if (mean.empty()) mean = mean_row(table);
      std::copy(mean.begin(), mean.end(), to);
    }
  }
  return rows;
}

/// A table and rows added behind it. The table stays where it is: one more row costs one row.
template <class Master>
class puzzle_overlay {
 public:
  puzzle_overlay() = default;
  /// What `table` views must outlive this.
  explicit puzzle_overlay(puzzle_rows<Master> table) : table_(std::move(table)) {}

  /// The identifier of a row that is added. Views taken before do not have it, and must not be used any more.
  int add(new_row how) {
    const std::vector<Master> row = make_rows(table_, std::span<const new_row>(&how, 1));
    added_.insert(added_.end(), row.begin(), row.end());
    return static_cast<int>(view().rows()) - 1;
  }
  /// All rows, the added ones behind the others.
  puzzle_rows<Master> view() const { return added_.empty() ? table_ : table_.with(added_); }

 private:
  puzzle_rows<Master> table_;
  std::vector<Master> added_;
};

}  // namespace trm
