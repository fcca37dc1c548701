// SPDX-License-Identifier: MIT
// The eight symmetries of a maze, as published datasets number them.
#pragma once
#include <cstddef>

#include "trm/data/arc/augmentation.hpp"
#include "trm/data/maze/grid.hpp"

namespace trm::maze {

/// The numbers of the transforms are those of trm::arc::dihedral, whose grids are too small for mazes: 0 identity, 1 2
/// 3 quarter turns counterclockwise, 4 left-right mirror, 5 up-down mirror, 6 transpose, 7 transpose along the other
/// diagonal.
using arc::dihedral_transforms;
using arc::inverse_transform;

/// Where the transformed maze's cell (row, column) comes from: the number of a cell of the maze. Requires 0 <=
/// transform < 8.
constexpr std::size_t source_cell(int side, int transform, int row, int column) {
  const int last = side - 1;
  const auto at = [=](int r, int c) { return static_cast<std::size_t>(r * side + c); };
  switch (transform) {
    case 1:
      return at(column, last - row);
    case 2:
      return at(last - row, last - column);
    case 3:
      return at(last - column, row);
    case 4:
      return at(row, last - column);
    case 5:
      return at(last - row, column);
    case 6:
      return at(column, row);
    case 7:
      return at(last - column, last - row);
    default:
      return at(row, column);
  }
}

/// The maze under one of the eight symmetries; requires 0 <= transform < 8.
inline grid dihedral(const grid& g, int transform) {
  grid out = g;
  for (int row = 0; row < g.side(); ++row) {
    for (int column = 0; column < g.side(); ++column) {
      out(row, column) = g[source_cell(g.side(), transform, row, column)];
    }
  }
  return out;
}

}  // namespace trm::maze
