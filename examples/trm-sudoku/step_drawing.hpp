// SPDX-License-Identifier: MIT
// A board on its way to a solution, for a terminal or as plain text.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "trm/data/sudoku/board.hpp"
#include "trm/data/sudoku/text.hpp"

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
  const std::vector<bool> bad = conflicts(now, puzzle);
  const auto look = [&](int cell) -> trm::sudoku::cell_look {
    const bool changed = now[cell] != before[cell], conflict = bad[static_cast<std::size_t>(cell)];
    std::string codes;
    if (puzzle[cell] != 0) codes += ";1";
    if (conflict) codes += ";31";
    if (changed) codes += conflict ? ";103" : ";30;103";
    return {codes.empty() ? codes : codes.substr(1), changed ? '*' : ' '};
  };
  return trm::sudoku::draw_cells(now, colour, look, "  ");
}

}  // namespace trm_sudoku
