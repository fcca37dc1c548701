// SPDX-License-Identifier: MIT
// A grid as tokens on a square canvas, and back.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "trm/core/error.hpp"
#include "trm/data/arc/grid.hpp"

namespace trm::arc {

/// Fills the canvas around the grid.
inline constexpr int pad_token = 0;
/// Written along the row below and the column right of the grid, where the canvas has them.
inline constexpr int eos_token = 1;
/// Colour c is token c + 2.
inline constexpr int first_colour_token = 2;
inline constexpr int vocabulary = first_colour_token + colour_count;

/// The side of the canvas that holds `tokens` tokens.
/// \throws trm::error unless it is a square of 1 .. 30
inline int canvas_side(std::size_t tokens) {
  for (int side = 1; side <= max_side; ++side) {
    if (static_cast<std::size_t>(side * side) == tokens) return side;
  }
  throw error("canvas", std::to_string(tokens) + " tokens are no square of a side of 1 to 30");
}

/// Writes `g` with its upper left corner at (top, left) of a canvas of side x side tokens: colours, then an end-of-grid
/// token in each cell right below and right beside the grid, padding elsewhere.
/// \throws trm::error where the grid does not fit or `out` is not side * side long
template <class Token>
void encode(const grid& g, int side, int top, int left, std::span<Token> out) {
  if (side < 1 || side > max_side || out.size() != static_cast<std::size_t>(side * side)) {
    throw error("canvas", std::to_string(out.size()) + " tokens for a side of " + std::to_string(side));
  }
  const int bottom = top + g.rows(), right = left + g.columns();
  if (top < 0 || left < 0 || bottom > side || right > side) {
    throw error("canvas", "a grid of " + std::to_string(g.rows()) + " x " + std::to_string(g.columns()) + " at (" +
                              std::to_string(top) + ", " + std::to_string(left) + ") does not fit into " +
                              std::to_string(side) + " x " + std::to_string(side));
  }
  const auto at = [&](int row, int column) -> Token& { return out[static_cast<std::size_t>(row * side + column)]; };
  std::ranges::fill(out, static_cast<Token>(pad_token));
  for (int row = 0; row < g.rows(); ++row) {
    for (int column = 0; column < g.columns(); ++column) {
      at(top + row, left + column) = static_cast<Token>(g(row, column) + first_colour_token);
    }
  }
  if (bottom < side) {
    for (int column = left; column < right; ++column) at(bottom, column) = static_cast<Token>(eos_token);
  }
  if (right < side) {
    for (int row = top; row < bottom; ++row) at(row, right) = static_cast<Token>(eos_token);
  }
}

/// The published reading of a prediction: of all rectangles at the upper left corner that hold nothing but colours, the
/// one of the largest area (of several, the one of fewest rows). Empty where the first token is no colour. Any token
/// value is legal.
/// \throws trm::error where `tokens` is not side * side long
template <std::integral Token>
grid crop(std::span<const Token> tokens, int side) {
  if (side < 1 || side > max_side || tokens.size() != static_cast<std::size_t>(side * side)) {
    throw error("canvas", std::to_string(tokens.size()) + " tokens for a side of " + std::to_string(side));
  }
  const auto at = [&](int row, int column) {
    return static_cast<std::int64_t>(tokens[static_cast<std::size_t>(row * side + column)]);
  };
  int width = side, best_rows = 0, best_columns = 0;
  for (int row = 0; row < side && width > 0; ++row) {
    int columns = 0;
    while (columns < width && at(row, columns) >= first_colour_token && at(row, columns) < vocabulary) ++columns;
    width = columns;
    if ((row + 1) * width > best_rows * best_columns) best_rows = row + 1, best_columns = width;
  }
  if (best_rows == 0) return {};
  grid g(best_rows, best_columns);
  for (int row = 0; row < best_rows; ++row) {
    for (int column = 0; column < best_columns; ++column) {
      g(row, column) = static_cast<std::uint8_t>(at(row, column) - first_colour_token);
    }
  }
  return g;
}

}  // namespace trm::arc
