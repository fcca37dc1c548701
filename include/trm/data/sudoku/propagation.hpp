// SPDX-License-Identifier: MIT
// Units and peers; candidates of every cell as bit masks, and what follows from them by singles.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "trm/data/sudoku/board.hpp"

namespace trm::sudoku::detail {

/// The units and peers of a size known to the compiler.
template <int Size>
struct layout {
  static constexpr geometry shape = geometry_of(Size);
  static constexpr int size = Size, cells = Size * Size;
  static constexpr std::uint16_t all = (1u << Size) - 1;
  /// Cells that share a row, a column or a box with a cell.
  static constexpr int peer_count = 2 * (Size - 1) + (shape.box_rows - 1) * (shape.box_columns - 1);

  using unit = std::array<std::uint8_t, Size>;
  static constexpr std::array<unit, 3 * Size> units = [] {
    std::array<unit, 3 * Size> u{};
    std::array<std::size_t, 3 * Size> filled{};
    for (int cell = 0; cell < cells; ++cell) {
      for (const int n : {cell / Size, Size + cell % Size, 2 * Size + shape.box_of(cell)}) {
        const auto i = static_cast<std::size_t>(n);
        u[i][filled[i]++] = static_cast<std::uint8_t>(cell);
      }
    }
    return u;
  }();
  static constexpr std::array<std::array<std::uint8_t, peer_count>, cells> peers = [] {
    std::array<std::array<std::uint8_t, peer_count>, cells> p{};
    for (int a = 0; a < cells; ++a) {
      std::size_t n = 0;
      for (int b = 0; b < cells; ++b) {
        if (a != b && (a / Size == b / Size || a % Size == b % Size || shape.box_of(a) == shape.box_of(b))) {
          p[static_cast<std::size_t>(a)][n++] = static_cast<std::uint8_t>(b);
        }
      }
    }
    return p;
  }();
};

/// Has a mask exactly one bit? Without a population count, which is a call where the compiler may not use the instruction.
constexpr bool is_single(std::uint32_t mask) { return mask != 0 && (mask & (mask - 1)) == 0; }

/// Calls f(layout<size>{}).
template <class F>
constexpr decltype(auto) with_layout(int size, F&& f) {
  return size == 4 ? f(layout<4>{}) : size == 6 ? f(layout<6>{}) : f(layout<9>{});
}

/// What is known of a puzzle. A cell with one candidate is settled; settled cells are queued, and its digit is taken
/// from the peers of each in turn.
template <class Layout>
class candidates {
 public:
  using mask = std::uint16_t;

  candidates() { of_.fill(Layout::all); }
  explicit candidates(const board& b) : candidates() {
    for (int i = 0; i < Layout::cells; ++i) {
      if (b[i] != 0) settle(i, static_cast<mask>(1u << (b[i] - 1)));
    }
  }

  mask operator[](int cell) const { return of_[static_cast<std::size_t>(cell)]; }
  /// All cells are settled, and propagated where propagate() said that it found no contradiction.
  bool complete() const { return settled_ == Layout::cells; }

  /// The cell has this candidate and no other. Requires that it has it.
  void settle(int cell, mask digit) {
    mask& m = of_[static_cast<std::size_t>(cell)];
    if (is_single(m)) return;
    m = digit;
    queue_[static_cast<std::size_t>(settled_++)] = static_cast<std::uint8_t>(cell);
  }
  /// False where no candidate is left.
  bool exclude(int cell, mask digits) {
    mask& m = of_[static_cast<std::size_t>(cell)];
    if ((m & digits) == 0) return true;
    m &= static_cast<mask>(~digits);
    if (is_single(m)) queue_[static_cast<std::size_t>(settled_++)] = static_cast<std::uint8_t>(cell);
    return m != 0;
  }

  /// Naked singles until there are no more; false at a contradiction.
  bool naked_singles() {
    while (propagated_ < settled_) {
      const std::size_t cell = queue_[static_cast<std::size_t>(propagated_++)];
      const mask digit = of_[cell];
      for (const std::uint8_t peer : Layout::peers[cell]) {
        if (!exclude(peer, digit)) return false;
      }
    }
    return true;
  }
  /// Naked and hidden singles until there are no more of either; false at a contradiction.
  bool singles() {
    do {
      if (!naked_singles()) return false;
      if (complete()) return true;
      if (!hidden_singles()) return false;
    } while (propagated_ < settled_);
    return true;
  }

  /// The settled cells; the others are empty.
  board settled() const {
    board b(Layout::size);
    for (int i = 0; i < Layout::cells; ++i) {
      if (is_single((*this)[i])) b[i] = static_cast<std::uint8_t>(std::countr_zero((*this)[i]) + 1);
    }
    return b;
  }

 private:
  /// Settles the digits that have one place left in a unit; false where a digit has none.
  bool hidden_singles() {
    for (const auto& unit : Layout::units) {
      mask once = 0, twice = 0;
      for (const std::uint8_t cell : unit) {
        twice = static_cast<mask>(twice | (once & of_[cell]));
        once = static_cast<mask>(once | of_[cell]);
      }
      if (once != Layout::all) return false;
      const auto single = static_cast<mask>(once & ~twice);
      if (single == 0) continue;
      for (const std::uint8_t cell : unit) {
        const auto here = static_cast<mask>(of_[cell] & single);
        if (here == 0 || is_single(of_[cell])) continue;
        if (!is_single(here)) return false;  // two digits with only this place
        settle(cell, here);
      }
    }
    return true;
  }

  std::array<mask, Layout::cells> of_;
  std::array<std::uint8_t, Layout::cells> queue_;
  int settled_ = 0, propagated_ = 0;
};

}  // namespace trm::sudoku::detail
