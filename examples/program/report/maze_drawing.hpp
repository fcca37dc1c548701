// SPDX-License-Identifier: MIT
// A maze as inline SVG.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "cells.hpp"

namespace program::report {

/// What a cell of a maze holds.
enum maze_cell : int { maze_wall, maze_open, maze_start, maze_goal, maze_path };

/// rows x columns cells, each a maze_cell; any other value is an invalid cell: hatched. Start is a disc, goal a square standing
/// on its corner. Where `truth` (as many cells, or none) differs a cell is marked: with a ring where the path is missing,
/// with a ringed dot otherwise.
/// \throws trm::error unless both sides are 1 .. 64 and the numbers of cells agree
inline std::string maze(int rows, int columns, std::span<const int> cells, std::span<const int> truth = {}) {
  const detail::extent e{rows, columns};
  detail::check_cells("drawing of a maze", e, cells.size(), truth.size());
  const auto is = [&](int kind) { return [cells, kind](std::size_t i) { return cells[i] == kind; }; };
  const auto invalid = [&](std::size_t i) { return cells[i] < maze_wall || cells[i] > maze_path; };
  std::string inside = detail::filled(e, "run wall", is(maze_wall)) + detail::filled(e, "run way", is(maze_path)) +
                       detail::filled(e, "run invalid", invalid) + detail::filled(e, "run hatch", invalid);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto at = static_cast<int>(i);
    const int x = at % columns, y = at / columns;
    if (cells[i] == maze_start)
      inside += fmt::format("<circle class=\"start\" cx=\"{}.5\" cy=\"{}.5\" r=\".55\"/>", x, y);
    if (cells[i] == maze_goal) inside += fmt::format("<path class=\"goal\" d=\"M{} {}.5l.5-.7 .5 .7-.5 .7z\"/>", x, y);
    wrong += !truth.empty() && cells[i] != truth[i] ? 1 : 0;
  }
  const auto missing = [&](std::size_t i) { return !truth.empty() && truth[i] == maze_path && cells[i] != maze_path; };
  const auto other = [&](std::size_t i) { return !truth.empty() && cells[i] != truth[i] && !missing(i); };
  inside += detail::dots(e, "missing", missing) + detail::dots(e, "wrong", other);
  return detail::drawing("maze", e, 16,
                         fmt::format("Maze of {} rows and {} columns{}", rows, columns,
                                     detail::wrong_text(wrong, cells.size(), !truth.empty())),
                         inside);
}

}  // namespace program::report
