// SPDX-License-Identifier: MIT
// The canonical form of a solution: equal for two solutions exactly where a symmetry of Sudoku takes one to the other.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/sudoku/board.hpp"
#include "trm/data/sudoku/propagation.hpp"

namespace trm::sudoku {

/// What is equal for two puzzles whose solutions a symmetry takes into one another.
struct canonical_form {
  /// Of all boards that symmetries (see symmetry.hpp) make of the solution the first in the order of their lines of text.
  board cells;
  /// Symmetries that leave the solution as it is, at least 1.
  int automorphisms = 1;
};

/// The number of symmetries of boards of a size: relabellings times arrangements of the cells.
constexpr std::int64_t symmetries(int size) {
  const auto factorial = [](int n) {
    std::int64_t f = 1;
    for (int i = 2; i <= n; ++i) f *= i;
    return f;
  };
  const geometry g = geometry_of(size);
  std::int64_t count = factorial(size) * factorial(g.bands()) * factorial(g.stacks()) * (g.square_boxes() ? 2 : 1);
  for (int i = 0; i < g.bands(); ++i) count *= factorial(g.box_rows);
  for (int i = 0; i < g.stacks(); ++i) count *= factorial(g.box_columns);
  return count;
}

namespace detail {

/// Every order of the columns that keeps stacks together.
template <class Layout>
const std::vector<std::array<std::uint8_t, Layout::size>>& column_orders() {
  static const auto orders = [] {
    constexpr geometry g = Layout::shape;
    std::vector<std::array<std::uint8_t, Layout::size>> found;
    std::array<std::uint8_t, Layout::size> order{};
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint8_t>(i);
    do {  // in lexicographic order of all orders
      bool kept = true;
      for (std::size_t i = 0; i < order.size(); ++i) {
        const std::size_t first = i - i % static_cast<std::size_t>(g.box_columns);
        kept = kept && order[i] / g.box_columns == order[first] / g.box_columns;
      }
      if (kept) found.push_back(order);
    } while (std::next_permutation(order.begin(), order.end()));
    return found;
  }();
  return orders;
}

/// The search for the first board. A choice of transpose, of the row that comes first and of the columns' order settles
/// the rest: the labels are those that make the first row 1, 2, ...; the rows of a band, and the bands, are then in the
/// order of their first cells.
template <class Layout>
class canonical_search {
 public:
  static constexpr int n = Layout::size;
  using line = std::array<std::uint8_t, n>;

  explicit canonical_search(const board& solution) {
    for (const bool transposed : {false, true}) {
      if (transposed && !Layout::shape.square_boxes()) break;
      for (int i = 0; i < n; ++i) {
        for (int j = 0; j < n; ++j) cell(i, j) = transposed ? solution(j, i) : solution(i, j);
      }
      for (int first = 0; first < n; ++first) {
        for (const line& order : column_orders<Layout>()) offer(first, order);
      }
    }
  }

  canonical_form result() const {
    canonical_form form{board(n), automorphisms_};
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) form.cells(i, j) = best_[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
    }
    return form;
  }

 private:
  std::uint8_t& cell(int row, int column) {
    return in_[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
  }

  void offer(int first, const line& order) {
    std::array<std::uint8_t, n + 1> label{};
    const line& top = in_[static_cast<std::size_t>(first)];
    for (std::size_t j = 0; j < n; ++j) label[top[order[j]]] = static_cast<std::uint8_t>(j + 1);
    // Rows by the label of their first cell: the labels of a column are all different.
    std::array<std::uint8_t, n> rows{};
    constexpr int height = Layout::shape.box_rows;
    int filled = 0;
    const auto append_band = [&](int band) {
      const int begin = filled;
      for (int i = 0; i < height; ++i) {
        int at = filled++;
        const auto row = static_cast<std::uint8_t>(band * height + i);
        const auto key = [&](std::uint8_t r) { return label[in_[r][order[0]]]; };
        for (; at > begin && key(rows[static_cast<std::size_t>(at - 1)]) > key(row); --at) {
          rows[static_cast<std::size_t>(at)] = rows[static_cast<std::size_t>(at - 1)];
        }
        rows[static_cast<std::size_t>(at)] = row;
      }
    };
    append_band(first / height);
    int difference = 0;  // of this board to the best
    for (std::size_t i = 1; i < height && difference == 0; ++i) difference = compare(rows[i], i, label, order);
    if (difference > 0) return;
    for (int band = 0; band < Layout::shape.bands(); ++band) {
      if (band != first / height) append_band(band);
    }
    for (int begin = height; begin < n; begin += height) {  // bands by their first row
      for (int other = begin + height; other < n; other += height) {
        const auto a = rows.begin() + begin, b = rows.begin() + other;
        if (label[in_[*b][order[0]]] < label[in_[*a][order[0]]]) std::swap_ranges(a, a + height, b);
      }
    }
    for (std::size_t i = height; i < n && difference == 0; ++i) difference = compare(rows[i], i, label, order);
    if (difference > 0) return;
    if (difference == 0) {
      ++automorphisms_;
      return;
    }
    automorphisms_ = 1;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) best_[i][j] = label[in_[rows[i]][order[j]]];
    }
  }

  /// Below, at or above 0 as row `row` of the input comes before, at or behind row `i` of the best.
  int compare(std::uint8_t row, std::size_t i, const std::array<std::uint8_t, n + 1>& label, const line& order) const {
    for (std::size_t j = 0; j < n; ++j) {
      const int difference = label[in_[row][order[j]]] - best_[i][j];
      if (difference != 0) return difference;
    }
    return 0;
  }

  std::array<line, n> in_{};
  std::array<line, n> best_ = [] {
    std::array<line, n> last{};
    for (line& l : last) l.fill(n + 1);
    return last;
  }();
  int automorphisms_ = 0;
};

}  // namespace detail

/// \throws trm::error where `solution` is not a solved board
inline canonical_form canonical(const board& solution) {
  if (!is_solved(solution)) throw error("canonical form", "the board is not solved");
  return detail::with_layout(
      solution.size(), [&](auto layout) { return detail::canonical_search<decltype(layout)>(solution).result(); });
}

}  // namespace trm::sudoku
