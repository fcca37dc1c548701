// SPDX-License-Identifier: MIT
// A board on its way to a solution, for a terminal or as plain text.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "trm/data/sudoku/board.hpp"

namespace trm_sudoku {

/// Which cells hold a digit that is there twice in a row, column or box, or that is not the puzzle's.
inline std::vector<bool> conflicts(const trm::sudoku::board& b, const trm::sudoku::board& puzzle) {
  const auto g = b.layout();
  std::vector<bool> bad(static_cast<std::size_t>(b.cells()));
  for (int i = 0; i < b.cells(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (puzzle[i] != 0 && puzzle[i] != b[i]) bad[at] = true;
    for (int j = 0; j < b.cells() && b[i] != 0; ++j) {
      const bool seen = i / g.size == j / g.size || i % g.size == j % g.size || g.box_of(i) == g.box_of(j);
      if (i != j && seen && b[i] == b[j]) bad[at] = true;
    }
  }
  return bad;
}

/// The board in a frame. In colour: clues bold, what changed since `before` on yellow, conflicts red. In plain text *
/// stands behind what changed.
inline std::string draw_step(const trm::sudoku::board& now, const trm::sudoku::board& before,
                             const trm::sudoku::board& puzzle, bool colour) {
  const auto g = now.layout();
  const std::vector<bool> bad = conflicts(now, puzzle);
  std::string frame = "  +";
  for (int stack = 0; stack < g.stacks(); ++stack) {
    frame.append(static_cast<std::size_t>(2 * g.box_columns + 1), '-').push_back('+');
  }
  frame += '\n';
  std::string text = frame;
  for (int row = 0; row < g.size; ++row) {
    text += "  | ";
    for (int column = 0; column < g.size; ++column) {
      const int cell = row * g.size + column;
      const bool changed = now[cell] != before[cell];
      std::string style;
      if (puzzle[cell] != 0) style += ";1";
      if (bad[static_cast<std::size_t>(cell)]) style += ";31";
      if (changed) style += bad[static_cast<std::size_t>(cell)] ? ";103" : ";30;103";
      const char digit = now[cell] == 0 ? '.' : static_cast<char>('0' + now[cell]);
      if (colour && !style.empty()) text += "\x1b[" + style.substr(1) + "m";
      text += digit;
      if (colour && !style.empty()) text += "\x1b[0m";
      text += changed && !colour ? '*' : ' ';
      if ((column + 1) % g.box_columns == 0) text += column + 1 < g.size ? "| " : "|\n";
    }
    if ((row + 1) % g.box_rows == 0) text += frame;
  }
  return text;
}

}  // namespace trm_sudoku
