// SPDX-License-Identifier: MIT
// The symmetries of Sudoku: relabelled digits, exchanged bands, stacks, rows and columns, and the transpose.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "trm/core/random.hpp"
#include "trm/data/sudoku/board.hpp"

namespace trm::sudoku {

/// The cell (i, j) of what comes out is digits[in(rows[i], columns[j])], with `transpose` (square boxes only)
/// digits[in(columns[j], rows[i])]. Bands, rows of a band, stacks and columns of a stack are permuted; digits[0] = 0.
/// A puzzle stays one with as many solutions, and its solution becomes the solution.
struct symmetry {
  std::array<std::uint8_t, max_size> rows{}, columns{};
  std::array<std::uint8_t, max_size + 1> digits{};
  bool transpose = false;

  /// Requires a board of the size that the symmetry was made for.
  constexpr board operator()(const board& in) const {
    board out(in.size());
    for (int i = 0; i < in.size(); ++i) {
      for (int j = 0; j < in.size(); ++j) {
        const int row = rows[static_cast<std::size_t>(i)], column = columns[static_cast<std::size_t>(j)];
        out(i, j) = digits[transpose ? in(column, row) : in(row, column)];
      }
    }
    return out;
  }
  friend constexpr bool operator==(const symmetry&, const symmetry&) = default;
};

/// The one that changes nothing.
constexpr symmetry identity_symmetry() {
  symmetry s;
  for (std::uint8_t i = 0; i < max_size; ++i) s.rows[i] = s.columns[i] = i;
  for (std::uint8_t i = 0; i <= max_size; ++i) s.digits[i] = i;
  return s;
}

/// Every symmetry of boards of this size with the same probability: 9! 6^8 2 of 9 x 9, 6! 3! 2^3 2! 3!^2 of 6 x 6,
/// 4! 2^6 2 of 4 x 4. `permute(n, out)` fills out with a random order of 0 .. n - 1; `flip()` is true half of the time
/// and asked where boxes are square. The order of the questions is the published builder's: digits, transpose, bands,
/// the rows of each, stacks, the columns of each.
template <class Permute, class Flip>
symmetry draw_symmetry(int size, Permute&& permute, Flip&& flip) {
  const geometry g = geometry_of(size);
  symmetry s;
  std::array<std::uint8_t, max_size> order{}, within{};
  permute(size, std::span(order));
  for (int i = 0; i < size; ++i) {
    s.digits[static_cast<std::size_t>(i) + 1] = static_cast<std::uint8_t>(order[static_cast<std::size_t>(i)] + 1);
  }
  s.transpose = g.square_boxes() && flip();
  const auto lines = [&](int blocks, int block_size, std::array<std::uint8_t, max_size>& out) {
    permute(blocks, std::span(order));
    for (int b = 0; b < blocks; ++b) {
      permute(block_size, std::span(within));
      for (int i = 0; i < block_size; ++i) {
        out[static_cast<std::size_t>(b * block_size + i)] = static_cast<std::uint8_t>(
            order[static_cast<std::size_t>(b)] * block_size + within[static_cast<std::size_t>(i)]);
      }
    }
  };
  lines(g.bands(), g.box_rows, s.rows);
  lines(g.stacks(), g.box_columns, s.columns);
  return s;
}

/// A function of the draws: uses below(.) at the indices 0, 1, ...
inline symmetry random_symmetry(int size, const draws& from) {
  std::uint64_t index = 0;
  const auto permute = [&](int n, std::span<std::uint8_t> out) {
    for (int i = 0; i < n; ++i) out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i);
    for (auto i = static_cast<std::size_t>(n); i > 1; --i) std::swap(out[i - 1], out[from.below(i, index++)]);
  };
  return draw_symmetry(size, permute, [&] { return from.below(2, index++) == 1; });
}

}  // namespace trm::sudoku
