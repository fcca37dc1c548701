// SPDX-License-Identifier: MIT
// What drawings of cells share: runs of equal cells as strokes, marks on cells that are wrong.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "html.hpp"
#include "trm/core/error.hpp"

namespace program::report {

namespace detail {

/// Rows and columns of a drawing; one unit is one cell.
struct extent {
  int rows, columns;
  std::size_t size() const { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns); }
};

/// The largest side that is drawn.
inline constexpr int drawn_side = 64;

/// \throws trm::error unless both sides are 1 .. 64 and there is one cell for each place; no truth at all is allowed
inline void check_cells(const char* what, extent e, std::size_t cells, std::size_t truth) {
  if (e.rows < 1 || e.rows > drawn_side || e.columns < 1 || e.columns > drawn_side) {
    throw trm::error(what, fmt::format("{} x {} cells, both sides must be 1 to {}", e.rows, e.columns, drawn_side));
  }
  if (cells != e.size() || (truth != 0 && truth != e.size())) {
    throw trm::error(what, fmt::format("{} cells and {} of the truth for {} x {}", cells, truth, e.rows, e.columns));
  }
}

/// The runs of cells along rows for which `belongs(i)`, as path data: a stroke of width 1 from the cell's left edge.
/// The y of row r is r: the element that draws it is moved by half a cell.
template <class Belongs>
std::string runs(extent e, Belongs belongs) {
  std::string d;
  for (int r = 0; r < e.rows; ++r) {
    const std::size_t row = static_cast<std::size_t>(r) * static_cast<std::size_t>(e.columns);
    for (int c = 0; c < e.columns;) {
      int end = c;
      while (end < e.columns && belongs(row + static_cast<std::size_t>(end))) ++end;
      if (end > c) d += fmt::format("M{} {}h{}", c, r, end - c);
      c = end + 1;
    }
  }
  return d;
}

/// The cells for which `belongs(i)` as strokes with these classes; nothing where there is none.
template <class Belongs>
std::string filled(extent e, std::string_view classes, Belongs belongs) {
  const std::string d = runs(e, belongs);
  return d.empty() ? "" : fmt::format("<path class=\"{}\" d=\"{}\"/>", classes, d);
}

/// A dot in the middle of each such cell: a run is one stroke whose dashes have no length and round ends.
template <class Belongs>
std::string dots(extent e, std::string_view kind, Belongs belongs) {
  std::string d;
  for (int r = 0; r < e.rows; ++r) {
    const std::size_t row = static_cast<std::size_t>(r) * static_cast<std::size_t>(e.columns);
    for (int c = 0; c < e.columns;) {
      int end = c;
      while (end < e.columns && belongs(row + static_cast<std::size_t>(end))) ++end;
      // The stroke ends just behind the last dot.
      if (end > c) d += end - c == 1 ? fmt::format("M{} {}h.1", c, r) : fmt::format("M{} {}h{}.1", c, r, end - c - 1);
      c = end + 1;
    }
  }
  if (d.empty()) return "";
  return fmt::format("<path class=\"dot {0}-edge\" d=\"{1}\"/><path class=\"dot {0}\" d=\"{1}\"/>", kind, d);
}

/// The lines between cells.
inline std::string grid_lines(extent e) {
  std::string d;
  for (int r = 1; r < e.rows; ++r) d += fmt::format("M0 {}h{}", r, e.columns);
  for (int c = 1; c < e.columns; ++c) d += fmt::format("M{} 0v{}", c, e.rows);
  return d.empty() ? "" : "<path class=\"lines\" d=\"" + d + "\"/>";
}

/// The SVG element around a drawing. A cell is `cell` pixels wide where there is room; `label` says in words what is shown.
inline std::string drawing(std::string_view kind, extent e, int cell, std::string_view label, std::string_view inside) {
  // Marks on small cells are larger.
  const bool fine = e.rows > 15 || e.columns > 15;
  return fmt::format(
      "<svg class=\"drawing {}{}\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {}\" width=\"{}\" "
      "height=\"{}\">{}</svg>",
      kind, fine ? " fine" : "", escaped(label), e.columns, e.rows, cell * e.columns, cell * e.rows, inside);
}

/// ", 3 of 81 cells wrong"; nothing where there is no truth.
inline std::string wrong_text(std::size_t wrong, std::size_t cells, bool known) {
  if (!known) return "";
  return wrong == 0 ? ", all cells right" : fmt::format(", {} of {} cells wrong", wrong, cells);
}

}  // namespace detail

}  // namespace program::report
