// SPDX-License-Identifier: MIT
// A grid of the Abstraction and Reasoning Corpus: up to 30 x 30 cells of ten colours.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "trm/core/error.hpp"
#include "trm/core/sha256.hpp"

namespace trm::arc {

/// The largest number of rows and of columns.
inline constexpr int max_side = 30;
/// Colours are 0 .. 9.
inline constexpr int colour_count = 10;

/// Cells in row-major order. A value: copied, compared, kept by the thousand.
/// The default grid is empty (0 x 0). No task holds one, but a prediction may be one: a model that writes no cell.
class grid {
 public:
  constexpr grid() = default;

  /// All cells 0.
  /// \throws trm::error unless both sides are 1 .. 30
  constexpr grid(int rows, int columns) {
    if (rows < 1 || rows > max_side || columns < 1 || columns > max_side) {
      throw error("grid",
                  std::to_string(rows) + " x " + std::to_string(columns) + " cells, both sides must be 1 to 30");
    }
    rows_ = static_cast<std::uint8_t>(rows);
    columns_ = static_cast<std::uint8_t>(columns);
  }

  constexpr int rows() const { return rows_; }         // 0 .. 30
  constexpr int columns() const { return columns_; }   // 0 .. 30
  constexpr bool empty() const { return rows_ == 0; }  // no cells at all
  /// rows * columns
  constexpr std::size_t size() const { return std::size_t{rows_} * columns_; }

  /// The colour of a cell; requires 0 <= row < rows() and 0 <= column < columns(), and a colour of 0 .. 9 where
  /// written.
  constexpr std::uint8_t operator()(int row, int column) const { return cells_[index(row, column)]; }
  constexpr std::uint8_t& operator()(int row, int column) { return cells_[index(row, column)]; }

  /// All cells, row after row.
  constexpr std::span<const std::uint8_t> cells() const { return {cells_.data(), size()}; }
  constexpr std::span<std::uint8_t> cells() { return {cells_.data(), size()}; }

  /// Equal sides and equal cells.
  friend constexpr bool operator==(const grid& a, const grid& b) {
    return a.rows_ == b.rows_ && a.columns_ == b.columns_ && std::ranges::equal(a.cells(), b.cells());
  }

 private:
  constexpr std::size_t index(int row, int column) const {
    return static_cast<std::size_t>(row) * columns_ + static_cast<std::size_t>(column);
  }

  std::uint8_t rows_ = 0;
  std::uint8_t columns_ = 0;
  std::array<std::uint8_t, max_side * max_side> cells_{};
};

/// SHA-256 of the bytes (rows, columns, cells): the published name of a grid's content.
inline sha256_digest hash(const grid& g) {
  const std::array<std::uint8_t, 2> sides = {static_cast<std::uint8_t>(g.rows()),
                                             static_cast<std::uint8_t>(g.columns())};
  sha256 digest;
  digest.update(sides);
  digest.update(g.cells());
  return digest.finish();
}

}  // namespace trm::arc
