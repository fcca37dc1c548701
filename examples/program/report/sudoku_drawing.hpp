// SPDX-License-Identifier: MIT
// A Sudoku board as inline SVG.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "cells.hpp"

namespace program::report {

/// A board of side x side cells with boxes of box_rows x box_columns. `given` holds the clues (0: empty), `answer` what the model
/// wrote (none: the clues alone are drawn), `truth` the solution (or none). Clues are bold; where the answer differs from the
/// truth the cell is tinted and has a corner. What is no digit 1 .. side in an answer is drawn as a dash.
/// \throws trm::error unless side is 1 .. 64 and a multiple of both box sides, and the numbers of cells agree
inline std::string sudoku(int side, int box_rows, int box_columns, std::span<const int> given,
                          std::span<const int> answer = {}, std::span<const int> truth = {}) {
  const detail::extent e{side, side};
  detail::check_cells("drawing of a Sudoku", e, given.size(), truth.size());
  detail::check_cells("drawing of a Sudoku", e, given.size(), answer.size());
  if (box_rows < 1 || box_columns < 1 || side % box_rows != 0 || side % box_columns != 0) {
    throw trm::error("drawing of a Sudoku",
                     fmt::format("boxes of {} x {} do not fill a side of {}", box_rows, box_columns, side));
  }
  const auto digit = [&](int v) { return v >= 1 && v <= side; };
  const auto wrong = [&](std::size_t i) { return !answer.empty() && !truth.empty() && answer[i] != truth[i]; };

  std::string corners, texts;
  std::size_t mistakes = 0;
  for (int r = 0; r < side; ++r) {
    std::string row;
    for (int c = 0; c < side; ++c) {
      const auto i = static_cast<std::size_t>(r * side + c);
      if (wrong(i)) {
        ++mistakes;
        corners += fmt::format("M{} {}h-.36l.36 .36z", c + 1, r);
      }
      const int shown = answer.empty() ? given[i] : answer[i];
      if (answer.empty() && !digit(shown)) continue;
      const bool clue = digit(given[i]);
      row += fmt::format("<tspan{} x=\"{}\">{}</tspan>",
                         wrong(i) ? " class=\"w\""
                         : clue   ? " class=\"g\""
                                  : "",
                         20 * c, digit(shown) ? std::to_string(shown) : std::string(no_number));
    }
    if (!row.empty()) texts += fmt::format("<text y=\"{}\">{}</text>", 20 * r, row);
  }
  std::string boxes;
  for (int r = box_rows; r < side; r += box_rows) boxes += fmt::format("M0 {}h{}", r, side);
  for (int c = box_columns; c < side; c += box_columns) boxes += fmt::format("M{} 0v{}", c, side);

  std::string inside = detail::filled(e, "run mistake", wrong) + detail::grid_lines(e);
  if (!corners.empty()) inside += "<path class=\"corner\" d=\"" + corners + "\"/>";
  if (!boxes.empty()) inside += "<path class=\"boxes\" d=\"" + boxes + "\"/>";
  // Digits are laid out in units of a twentieth of a cell, as browsers may refuse a type size below one unit. Digits of two
  // figures need a smaller one.
  inside += fmt::format("<g class=\"digits{}\" transform=\"translate(.5 .5)scale(.05)\">{}</g>",
                        side > 9 ? " small" : "", texts);
  return detail::drawing("sudoku", e, 40,
                         fmt::format("Sudoku of {0} by {0}{1}", side,
                                     detail::wrong_text(mistakes, given.size(), !answer.empty() && !truth.empty())),
                         inside);
}

}  // namespace program::report
