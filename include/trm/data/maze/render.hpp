// SPDX-License-Identifier: MIT
// A maze as text: its characters, or coloured cells for a terminal.
#pragma once
#include <string>

#include "trm/core/error.hpp"
#include "trm/data/maze/grid.hpp"

namespace trm::maze {

/// One line of characters for each row, each ending with '\n'.
inline std::string to_text(const grid& g) {
  std::string text;
  for (int row = 0; row < g.side(); ++row) {
    for (int column = 0; column < g.side(); ++column) text += to_character(g(row, column));
    text += '\n';
  }
  return text;
}

namespace detail {

/// The 256-colour background of a cell and its character: walls dark, the path filled.
inline std::string coloured(cell c, const char* mark) {
  const char* background = "231";
  switch (c) {
    case cell::wall:
      background = "238";
      break;
    case cell::start:
      background = "41";
      break;
    case cell::goal:
      background = "203";
      break;
    case cell::path:
      background = "220";
      break;
    case cell::unknown:
      background = "199";
      break;
    case cell::free:
      break;
  }
  return std::string("\x1b[48;5;") + background + ";38;5;16m" + mark;
}

}  // namespace detail

/// The same with ANSI escapes, two columns to a cell, which makes it nearly square. S and G are written, and cells
/// unlike `expected` carry `><`; take the maze itself where nothing is expected.
/// \throws trm::error where the sides differ
inline std::string to_ansi(const grid& g, const grid& expected) {
  if (g.side() != expected.side()) throw error("maze", "shown and expected mazes have different sides");
  std::string text;
  for (int row = 0; row < g.side(); ++row) {
    for (int column = 0; column < g.side(); ++column) {
      const cell c = g(row, column);
      const char* mark = c == cell::start ? "S " : c == cell::goal ? "G " : "  ";
      text += detail::coloured(c, c == expected(row, column) ? mark : "><");
    }
    text += "\x1b[0m\n";
  }
  return text;
}
inline std::string to_ansi(const grid& g) { return to_ansi(g, g); }

}  // namespace trm::maze
