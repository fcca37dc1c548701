// SPDX-License-Identifier: MIT
// Random solved boards.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "trm/core/random.hpp"
#include "trm/data/sudoku/board.hpp"
#include "trm/data/sudoku/digit_planes.hpp"
#include "trm/data/sudoku/propagation.hpp"
#include "trm/data/sudoku/symmetry.hpp"

namespace trm::sudoku {

/// Draws of one (seed, purpose, step, row), one after the other.
class draw_stream {
 public:
  /// Takes the draws of `from` one after the other.
  explicit draw_stream(const draws& from) : from_(from) {}
  /// Uniform in {0, ..., n - 1}, n > 0.
  std::uint64_t below(std::uint64_t n) { return from_.below(n, next_++); }
  /// Fisher-Yates: every order has the same probability.
  template <class Range>
  void shuffle(Range&& x) {
    for (std::size_t i = std::size(x); i > 1; --i) std::swap(x[i - 1], x[below(i)]);
  }
  /// Uniform over all symmetries of boards of this size.
  symmetry draw_symmetry(int size) {
    const auto permute = [&](int n, std::span<std::uint8_t> out) {
      for (int i = 0; i < n; ++i) out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i);
      shuffle(out.first(static_cast<std::size_t>(n)));
    };
    return sudoku::draw_symmetry(size, permute, [&] { return below(2) == 1; });
  }

 private:
  draws from_;
  std::uint64_t next_ = 0;
};

namespace detail {

/// Calls visit(board) for every solved board that c allows, in lexicographic order of the guesses.
template <class Layout, class Visit>
void for_each_solution(digit_planes<Layout>& c, Visit&& visit) {
  if (!c.propagate()) return;
  if (c.complete()) return visit(c.settled());
  const int cell = c.branching_cell();
  for (std::uint32_t left = c[cell]; left != 0; left &= left - 1) {
    digit_planes<Layout> guess = c;
    guess.settle(cell, std::countr_zero(left) + 1);
    for_each_solution(guess, visit);
  }
}

/// The solved boards with 1, 2, ... in the first row: 12 of 4 x 4, 39168 of 6 x 6. Every solved board is a relabelling of
/// exactly one of them.
template <class Layout>
const std::vector<std::array<std::uint8_t, Layout::cells>>& normal_solutions() {
  static_assert(Layout::size < 9);
  static const auto solutions = [] {
    std::vector<std::array<std::uint8_t, Layout::cells>> found;
    digit_planes<Layout> c;
    for (int i = 0; i < Layout::size; ++i) c.settle(i, i + 1);
    for_each_solution(c, [&](const board& b) { std::ranges::copy(b.values(), found.emplace_back().begin()); });
    return found;
  }();
  return solutions;
}

/// Depth-first search with random candidates. True where `c` was completed.
template <class Layout>
bool complete_at_random(digit_planes<Layout>& c, draw_stream& random) {
  if (!c.propagate()) return false;
  if (c.complete()) return true;
  const int cell = c.branching_cell();
  std::array<int, Layout::size> digits{};
  std::size_t count = 0;
  for (std::uint32_t left = c[cell]; left != 0; left &= left - 1) {
    digits[count++] = std::countr_zero(left) + 1;
  }
  random.shuffle(std::span(digits).first(count));
  for (std::size_t i = 0; i < count; ++i) {
    digit_planes<Layout> guess = c;
    guess.settle(cell, digits[i]);
    if (complete_at_random(guess, random)) {
      c = guess;
      return true;
    }
  }
  return false;
}

}  // namespace detail

/// A random solved board. Of 4 x 4 and 6 x 6 every one has the same probability. Of 9 x 9 every one can come, those that
/// are equal up to symmetry with the same probability, but not all classes with exactly the probability of their size.
inline board random_solution(int size, draw_stream& random) {
  return detail::with_layout(geometry_of(size).size, [&](auto layout) {
    using layout_type = decltype(layout);
    if constexpr (layout_type::size < 9) {
      const auto& normal = detail::normal_solutions<layout_type>();
      const std::span<const std::uint8_t> chosen = normal[random.below(normal.size())];
      symmetry relabelling = identity_symmetry();
      random.shuffle(std::span(relabelling.digits).subspan(1, static_cast<std::size_t>(size)));
      return relabelling(board(chosen));
    } else {
      detail::digit_planes<layout_type> c;
      detail::complete_at_random(c, random);
      const board b = c.settled();
      return random.draw_symmetry(size)(b);
    }
  });
}

}  // namespace trm::sudoku
