// SPDX-License-Identifier: MIT
// Reads a stored row back: where on the canvas its grids begin, and the grids.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/grid.hpp"

namespace trm::arc {

/// Is the token that of a cell, a colour 0 .. 9 (token - first_colour_token)?
constexpr bool is_colour_token(std::int32_t token) { return token >= first_colour_token && token < vocabulary; }

/// Row and column of the first token that is no padding: where the grid begins, if that token is a colour.
inline std::optional<std::pair<int, int>> grid_place(std::span<const std::int32_t> tokens, int side) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] == pad_token) continue;
    if (!is_colour_token(tokens[i])) return std::nullopt;
    return std::pair(static_cast<int>(i) / side, static_cast<int>(i) % side);
  }
  return std::nullopt;
}

/// The grid that begins at (top, left): as wide as its first row and as high as its first column has colours. None where
/// the first token is no colour or a cell within is none. What surrounds it is not looked at.
inline std::optional<grid> grid_at(std::span<const std::int32_t> tokens, int side, int top, int left) {
  const auto at = [&](int row, int column) { return tokens[static_cast<std::size_t>(row * side + column)]; };
  int rows = 0, columns = 0;
  while (top + rows < side && is_colour_token(at(top + rows, left))) ++rows;
  while (left + columns < side && is_colour_token(at(top, left + columns))) ++columns;
  if (rows == 0) return std::nullopt;
  grid g(rows, columns);
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      const std::int32_t token = at(top + row, left + column);
      if (!is_colour_token(token)) return std::nullopt;
      g(row, column) = static_cast<std::uint8_t>(token - first_colour_token);
    }
  }
  return g;
}

}  // namespace trm::arc
