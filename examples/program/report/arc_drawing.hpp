// SPDX-License-Identifier: MIT
// A grid of the Abstraction and Reasoning Corpus as inline SVG.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "cells.hpp"
#include "trm/data/arc/grid.hpp"

namespace program::report {

/// rows x columns cells in row-major order, in the ten published colours. Any other value is an invalid cell: hatched.
/// Where `truth` (as many cells, or none) differs a cell is marked with a ringed dot.
/// \throws trm::error unless both sides are 1 .. 64 and the numbers of cells agree
inline std::string arc_grid(int rows, int columns, std::span<const int> cells, std::span<const int> truth = {}) {
  const detail::extent e{rows, columns};
  detail::check_cells("drawing of a grid", e, cells.size(), truth.size());
  const auto valid = [](int v) { return v >= 0 && v < trm::arc::colour_count; };
  std::string inside;
  for (int colour = 0; colour < trm::arc::colour_count; ++colour) {
    const std::string name = "run a" + std::to_string(colour);
    inside += detail::filled(e, name, [&](std::size_t i) { return cells[i] == colour; });
  }
  const auto invalid = [&](std::size_t i) { return !valid(cells[i]); };
  inside += detail::filled(e, "run invalid", invalid) + detail::filled(e, "run hatch", invalid) + detail::grid_lines(e);
  const auto differs = [&](std::size_t i) { return !truth.empty() && cells[i] != truth[i]; };
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) wrong += differs(i) ? 1 : 0;
  inside += detail::dots(e, "wrong", differs);
  return detail::drawing("arc", e, 26,
                         fmt::format("Grid of {} rows and {} columns{}", rows, columns,
                                     detail::wrong_text(wrong, cells.size(), !truth.empty())),
                         inside);
}

/// The same of the library's grids. An empty grid is a sentence. A truth of another size says so and marks nothing.
inline std::string arc_grid(const trm::arc::grid& g, const trm::arc::grid* truth = nullptr) {
  if (g.empty()) return "<p class=\"nothing\">no cell was written</p>";
  const std::vector<int> cells(g.cells().begin(), g.cells().end());
  const bool same_size = truth != nullptr && truth->rows() == g.rows() && truth->columns() == g.columns();
  std::vector<int> wanted;
  if (same_size) wanted.assign(truth->cells().begin(), truth->cells().end());
  std::string out = arc_grid(g.rows(), g.columns(), cells, wanted);
  if (truth != nullptr && !same_size) {
    out += fmt::format("<p class=\"remark\">{} \u00d7 {}, not {} \u00d7 {}</p>", g.rows(), g.columns(), truth->rows(),
                       truth->columns());
  }
  return out;
}

}  // namespace program::report
