// SPDX-License-Identifier: MIT
// A row of an ARC dataset straight from its source: an augmented grid as tokens on a canvas, without grids in between.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "trm/core/ignored_label.hpp"
#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/grid.hpp"

namespace trm::arc {

/// Cells of a grid in row-major order, wherever they are.
struct cells_view {
  const std::uint8_t* cells = nullptr;  // [rows, columns], colours 0 .. 9
  int rows = 0, columns = 0;            // at most 30 each

  cells_view() = default;
  /// Cells that somebody else owns.
  cells_view(const std::uint8_t* from, int row_count, int column_count)
      : cells(from), rows(row_count), columns(column_count) {}
  /// Those of a grid, which must outlive the view.
  cells_view(const grid& g) : cells(g.cells().data()), rows(g.rows()), columns(g.columns()) {}
};

/// Whether the transform exchanges rows and columns.
constexpr bool is_turned(int transform) { return transform == 1 || transform == 3 || transform >= 6; }

/// Rows and columns of a grid under a transform.
constexpr std::pair<int, int> turned_sides(int rows, int columns, int transform) {
  return is_turned(transform) ? std::pair(columns, rows) : std::pair(rows, columns);
}

/// What a canvas is written with: what each colour becomes, and the two other tokens.
template <class Token>
struct canvas_tokens {
  std::array<Token, colour_count> colours{};  // of colour 0 .. 9
  Token pad{}, eos{};                         // around the grid; along its lower and right border
};

/// The tokens under a permutation of colours.
template <class Token>
constexpr canvas_tokens<Token> tokens_of(const colour_map& map) {
  canvas_tokens<Token> tokens{{}, static_cast<Token>(pad_token), static_cast<Token>(eos_token)};
  for (std::size_t c = 0; c < map.size(); ++c) {
    tokens.colours[c] = static_cast<Token>(map[c] + first_colour_token);
  }
  return tokens;
}

/// The same where labels equal to `ignore` become ignored_label.
constexpr canvas_tokens<std::int32_t> label_tokens_of(const colour_map& map, std::optional<std::int32_t> ignore) {
  canvas_tokens<std::int32_t> tokens = tokens_of<std::int32_t>(map);
  if (!ignore) return tokens;
  for (std::int32_t& token : tokens.colours) token = token == *ignore ? ignored_label : token;
  if (tokens.pad == *ignore) tokens.pad = ignored_label;
  if (tokens.eos == *ignore) tokens.eos = ignored_label;
  return tokens;
}

/// What encode(augmentation.apply(g), side, top, left, out) writes, for `tokens` of the augmentation's colours.
/// Requires that the turned grid fits: top + rows and left + columns at most `side`, and side * side tokens in `out`.
template <class Token>
void write_canvas(cells_view g, int transform, const canvas_tokens<Token>& tokens, int side, int top, int left,
                  Token* out) {
  const int last_row = (g.rows - 1) * g.columns, last_column = g.columns - 1;
  // Of the source: the cell that comes first, the steps to the next row and to the next column of the turned grid.
  const std::array<std::array<int, 3>, dihedral_transforms> walks = {{{0, g.columns, 1},
                                                                      {last_column, -1, g.columns},
                                                                      {last_row + last_column, -g.columns, -1},
                                                                      {last_row, 1, -g.columns},
                                                                      {last_column, g.columns, -1},
                                                                      {last_row, -g.columns, 1},
                                                                      {0, 1, g.columns},
                                                                      {last_row + last_column, -1, -g.columns}}};
  const auto [first, by_row, by_column] = walks[static_cast<std::size_t>(transform)];
  const auto [rows, columns] = turned_sides(g.rows, g.columns, transform);
  std::fill_n(out, side * side, tokens.pad);
  Token* line = out + top * side + left;
  const std::uint8_t* from = g.cells + first;
  for (int row = 0; row < rows; ++row, line += side, from += by_row) {
    const std::uint8_t* cell = from;
    for (int column = 0; column < columns; ++column, cell += by_column) line[column] = tokens.colours[*cell];
    if (left + columns < side) line[columns] = tokens.eos;
  }
  if (top + rows < side) std::fill_n(line, columns, tokens.eos);
}

}  // namespace trm::arc
