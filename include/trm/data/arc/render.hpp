// SPDX-License-Identifier: MIT
// Grids side by side as text: coloured cells for a terminal, digits for a file.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/data/arc/grid.hpp"

namespace trm::arc {

/// How cells are drawn. plain: digits. ansi_256: the 256 colours of most terminals. true_colour: 24 bits a colour.
enum class palette { plain, ansi_256, true_colour };

/// One grid of a row of grids. `expected`, where given, is what it should have been: cells unlike it are marked.
struct panel {
  std::string title;  // above the grid
  grid cells;
  std::optional<grid> expected = std::nullopt;
};

namespace detail {

struct cell_colour {
  std::uint8_t red, green, blue;
  std::uint8_t ansi_256;
  bool light;  // a mark on it is black, otherwise white
};
/// The colours in which the corpus is customarily shown.
inline constexpr std::array<cell_colour, colour_count> cell_colours = {{{0x00, 0x00, 0x00, 16, false},
                                                                        {0x00, 0x74, 0xd9, 32, false},
                                                                        {0xff, 0x41, 0x36, 203, true},
                                                                        {0x2e, 0xcc, 0x40, 41, true},
                                                                        {0xff, 0xdc, 0x00, 220, true},
                                                                        {0xaa, 0xaa, 0xaa, 248, true},
                                                                        {0xf0, 0x12, 0xbe, 199, false},
                                                                        {0xff, 0x85, 0x1b, 208, true},
                                                                        {0x7f, 0xdb, 0xff, 117, true},
                                                                        {0x87, 0x0c, 0x25, 88, false}}};

inline bool differs(const panel& p, int row, int column) {
  if (!p.expected) return false;
  if (row >= p.expected->rows() || column >= p.expected->columns()) return true;
  return p.cells(row, column) != (*p.expected)(row, column);
}

/// A cell is two columns wide, which makes it nearly square.
inline void append_cell(std::string& line, std::uint8_t colour, bool marked, palette how) {
  if (how == palette::plain) {
    line += static_cast<char>('0' + colour);
    line += marked ? '!' : ' ';
    return;
  }
  const cell_colour& c = cell_colours[colour];
  line += how == palette::ansi_256
              ? "\x1b[48;5;" + std::to_string(c.ansi_256)
              : "\x1b[48;2;" + std::to_string(c.red) + ";" + std::to_string(c.green) + ";" + std::to_string(c.blue);
  if (marked) line += c.light ? ";38;5;16" : ";38;5;231";
  line += marked ? "m><" : "m  ";
}

}  // namespace detail

/// The panels side by side, each under its title and size; every line ends with '\n'. A cell unlike what was expected
/// carries `><`, or `!` after its digit in the plain form. Titles are taken to be ASCII.
inline std::string render(std::span<const panel> panels, palette how) {
  constexpr std::size_t gap = 3;
  std::vector<std::string> captions;
  std::vector<std::size_t> widths;
  int rows = 0;
  for (const panel& p : panels) {
    std::string caption = p.title + (p.title.empty() ? "" : " ");
    caption += p.cells.empty() ? "(empty)" : std::to_string(p.cells.rows()) + "x" + std::to_string(p.cells.columns());
    widths.push_back(std::max(caption.size(), static_cast<std::size_t>(2 * p.cells.columns())));
    captions.push_back(std::move(caption));
    rows = std::max(rows, p.cells.rows());
  }

  std::string text;
  // Blanks are owed and written only before something visible: no line ends in blanks.
  const auto compose_line = [&](auto&& append_part) {
    std::size_t owed = 0;
    for (std::size_t i = 0; i < panels.size(); ++i) {
      std::string part;
      const std::size_t written = append_part(i, part);
      if (written > 0) text.append(owed, ' ');
      text += part;
      owed = (written > 0 ? 0 : owed) + widths[i] - written + gap;
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    text += '\n';
  };
  compose_line([&](std::size_t i, std::string& part) {
    part = captions[i];
    return part.size();
  });
  for (int row = 0; row < rows; ++row) {
    compose_line([&](std::size_t i, std::string& part) -> std::size_t {
      const panel& p = panels[i];
      if (row >= p.cells.rows()) return 0;
      for (int column = 0; column < p.cells.columns(); ++column) {
        detail::append_cell(part, p.cells(row, column), detail::differs(p, row, column), how);
      }
      if (how != palette::plain) part += "\x1b[0m";
      return static_cast<std::size_t>(2 * p.cells.columns());
    });
  }
  return text;
}

}  // namespace trm::arc
