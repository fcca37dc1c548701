// SPDX-License-Identifier: MIT
// A Sudoku board of 4 x 4, 6 x 6 or 9 x 9 cells, what makes it valid, and its tokens.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trm/core/error.hpp"

namespace trm::sudoku {

inline constexpr int max_size = 9;                     // rows of the largest board
inline constexpr int max_cells = max_size * max_size;  // of the largest board

/// Rows, columns and boxes of `size` cells each; a box has box_rows x box_columns cells. A band is a row of boxes, a
/// stack a column of boxes. Cells are numbered in reading order.
struct geometry {
  int size, box_rows, box_columns;

  constexpr int cells() const { return size * size; }          // of the board
  constexpr int bands() const { return size / box_rows; }      // boxes above one another
  constexpr int stacks() const { return size / box_columns; }  // boxes beside one another
  /// boxes are numbered row by row
  constexpr int box_of(int cell) const { return cell / size / box_rows * stacks() + cell % size / box_columns; }
  /// Tokens: 0 is padding, 1 an empty cell, d + 1 the digit d.
  constexpr int vocabulary() const { return size + 2; }
  constexpr bool square_boxes() const { return box_rows == box_columns; }  // so rows and columns may be exchanged
  friend constexpr bool operator==(const geometry&, const geometry&) = default;
};

/// Is there a geometry for boards of so many rows: 4, 6, 9?
constexpr bool is_size(int size) { return size == 4 || size == 6 || size == 9; }

/// 4: boxes of 2 x 2; 6: boxes of 2 rows x 3 columns; 9: boxes of 3 x 3.
/// \throws trm::error for any other size
constexpr geometry geometry_of(int size) {
  if (!is_size(size)) throw error("size " + std::to_string(size), "a Sudoku here has 4, 6 or 9 rows");
  return size == 4 ? geometry{4, 2, 2} : size == 6 ? geometry{6, 2, 3} : geometry{9, 3, 3};
}

/// The size of a board of so many cells; 0 where there is none.
constexpr int size_of_cells(std::size_t cells) { return cells == 16 ? 4 : cells == 36 ? 6 : cells == 81 ? 9 : 0; }

/// Digits 1 to size in reading order, 0 for an empty cell. Whether they make a Sudoku is asked below.
class board {
 public:
  /// An empty board.
  /// \throws trm::error where size is not 4, 6 or 9
  explicit constexpr board(int size = 9) : size_(static_cast<std::uint8_t>(geometry_of(size).size)) {}
  /// \throws trm::error where there are not 16, 36 or 81 cells, or one is larger than the size
  explicit constexpr board(std::span<const std::uint8_t> cells) {
    size_ = static_cast<std::uint8_t>(size_of_cells(cells.size()));
    if (size_ == 0) throw error("board", std::to_string(cells.size()) + " cells, expected 16, 36 or 81");
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i] > size_) throw error("board", "cell " + std::to_string(i) + " is " + std::to_string(cells[i]));
      cells_[i] = cells[i];
    }
  }

  constexpr int size() const { return size_; }                      // rows, and columns
  constexpr int cells() const { return size_ * size_; }             // row by row
  constexpr geometry layout() const { return geometry_of(size_); }  // of the boxes
  /// Requires cell < cells() and, of what is assigned, at most size().
  constexpr std::uint8_t operator[](int cell) const { return cells_[static_cast<std::size_t>(cell)]; }
  constexpr std::uint8_t& operator[](int cell) { return cells_[static_cast<std::size_t>(cell)]; }
  /// Requires 0 <= row, column < size().
  constexpr std::uint8_t operator()(int row, int column) const { return (*this)[row * size_ + column]; }
  constexpr std::uint8_t& operator()(int row, int column) { return (*this)[row * size_ + column]; }
  /// All cells, row by row: a digit, or 0 where the cell is empty.
  constexpr std::span<const std::uint8_t> values() const { return {cells_.data(), static_cast<std::size_t>(cells())}; }

  friend constexpr bool operator==(const board&, const board&) = default;

 private:
  std::array<std::uint8_t, max_cells> cells_{};  // beyond cells() always 0
  std::uint8_t size_ = 9;
};

/// Cells that are not empty.
constexpr int clues(const board& b) { return b.cells() - static_cast<int>(std::ranges::count(b.values(), 0)); }

/// Does no row, column or box have a digit twice?
constexpr bool is_consistent(const board& b) {
  const geometry g = b.layout();
  std::array<std::uint16_t, max_size> rows{}, columns{}, boxes{};
  bool fine = true;
  for (int row = 0, cell = 0; row < g.size; ++row) {
    for (int column = 0; column < g.size; ++column, ++cell) {
      const auto bit = static_cast<std::uint16_t>((1u << b[cell]) & ~1u);
      auto &r = rows[static_cast<std::size_t>(row)], &c = columns[static_cast<std::size_t>(column)],
           &x = boxes[static_cast<std::size_t>(row / g.box_rows * g.stacks() + column / g.box_columns)];
      fine = fine && ((r | c | x) & bit) == 0;
      r |= bit, c |= bit, x |= bit;
    }
  }
  return fine;
}

/// Is every cell filled, and every digit once in each row, column and box?
constexpr bool is_solved(const board& b) { return std::ranges::count(b.values(), 0) == 0 && is_consistent(b); }

/// Does `filled` have every digit that `puzzle` has, at its place?
constexpr bool extends(const board& filled, const board& puzzle) {
  if (filled.size() != puzzle.size()) return false;
  for (int i = 0; i < puzzle.cells(); ++i) {
    if (puzzle[i] != 0 && puzzle[i] != filled[i]) return false;
  }
  return true;
}

/// The tokens of a board, digit + 1 each (the published encoding). Requires out.size() == b.cells().
template <class Token>
constexpr void encode(const board& b, std::span<Token> out) {
  for (int i = 0; i < b.cells(); ++i) out[static_cast<std::size_t>(i)] = static_cast<Token>(b[i] + 1);
}

/// What tokens say: the board, and the cells whose token is neither 1 (empty) nor a digit; those are left empty.
struct decoded {
  board cells;
  std::vector<int> malformed;  // cells whose token is no digit
};

/// The board of any tokens, as a model may predict anything.
/// \throws trm::error where there are not 16, 36 or 81 tokens
template <class Token>
decoded decode(std::span<const Token> tokens) {
  const int size = size_of_cells(tokens.size());
  if (size == 0) throw error("tokens", std::to_string(tokens.size()) + " of them, a board has 16, 36 or 81 cells");
  decoded d{board(size), {}};
  for (int i = 0; i < d.cells.cells(); ++i) {
    const Token token = tokens[static_cast<std::size_t>(i)];
    if (token >= 1 && token <= static_cast<Token>(size + 1)) {
      d.cells[i] = static_cast<std::uint8_t>(token - 1);
    } else {
      d.malformed.push_back(i);
    }
  }
  return d;
}

}  // namespace trm::sudoku
