// SPDX-License-Identifier: MIT
// Candidates of every cell as bit masks, and what follows from them without a guess.
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

/// Bits of every mask of up to 9 bits.
inline constexpr std::array<std::uint8_t, 512> bit_counts = [] {
  std::array<std::uint8_t, 512> counts{};
  for (std::size_t i = 1; i < counts.size(); ++i) counts[i] = static_cast<std::uint8_t>(counts[i / 2] + i % 2);
  return counts;
}();

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

  /// Naked and hidden singles and locked candidates until there are no more of any; false at a contradiction.
  bool propagate() {
    for (;;) {
      if (!singles()) return false;
      if (complete()) return true;
      bool changed = false;
      if (!locked_candidates<true>(changed) || !locked_candidates<false>(changed)) return false;
      if (!changed) return true;
    }
  }

  /// The cell to guess in: of the unsettled cells with the fewest candidates the one whose peers share the most with it,
  /// those with two candidates counted three times; the first in reading order where that is equal. Requires !complete().
  int branching_cell() const {
    int fewest = Layout::size + 1;
    for (const mask m : of_) {
      if (m & (m - 1)) fewest = std::min<int>(fewest, bit_counts[m]);
    }
    int best = -1, most = -1;
    for (int cell = 0; cell < Layout::cells; ++cell) {
      const mask m = (*this)[cell];
      if (bit_counts[m] != fewest) continue;
      int shared = 0;
      for (const std::uint8_t peer : Layout::peers[static_cast<std::size_t>(cell)]) {
        const mask p = of_[peer];
        shared += bit_counts[p & m] * (bit_counts[p] == 2 ? 3 : 1);
      }
      if (shared > most) best = cell, most = shared;
    }
    return best;
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

  /// A segment is what a row (or with Rows = false a column) and a box share. A digit that the box has only in this
  /// segment goes from the rest of the line, one that the line has only here from the rest of the box. False where no
  /// candidate is left; `changed` where one went.
  template <bool Rows>
  bool locked_candidates(bool& changed) {
    constexpr std::size_t n = Layout::size;
    constexpr std::size_t height = Rows ? Layout::shape.box_rows : Layout::shape.box_columns;  // lines of a box
    constexpr std::size_t length = Rows ? Layout::shape.box_columns : Layout::shape.box_rows;
    constexpr std::size_t count = n / length;  // segments of a line
    const auto cell = [](std::size_t line, std::size_t at) { return Rows ? line * n + at : at * n + line; };
    std::array<std::array<mask, count>, n> segments{};
    for (std::size_t line = 0; line < n; ++line) {
      for (std::size_t at = 0; at < n; ++at) segments[line][at / length] |= of_[cell(line, at)];
    }
    const auto exclude_from = [&](std::size_t line, std::size_t segment, mask digits) {
      mask& left = segments[line][segment];
      if ((left & digits) == 0) return true;
      changed = true;
      left &= static_cast<mask>(~digits);
      for (std::size_t i = 0; i < length; ++i) {
        if (!exclude(static_cast<int>(cell(line, segment * length + i)), digits)) return false;
      }
      return true;
    };
    for (std::size_t line = 0; line < n; ++line) {
      for (std::size_t segment = 0; segment < count; ++segment) {
        mask in_line = 0, in_box = 0;  // in the rest of them
        const std::size_t top = line - line % height;
        for (std::size_t i = 0; i < count; ++i) in_line |= i == segment ? mask{0} : segments[line][i];
        for (std::size_t i = top; i < top + height; ++i) in_box |= i == line ? mask{0} : segments[i][segment];
        const mask here = segments[line][segment];
        const auto pointing = static_cast<mask>(here & in_line & ~in_box);
        const auto claiming = static_cast<mask>(here & in_box & ~in_line);
        for (std::size_t i = 0; pointing != 0 && i < count; ++i) {
          if (i != segment && !exclude_from(line, i, pointing)) return false;
        }
        for (std::size_t i = top; claiming != 0 && i < top + height; ++i) {
          if (i != line && !exclude_from(i, segment, claiming)) return false;
        }
      }
    }
    return true;
  }

  std::array<mask, Layout::cells> of_;
  std::array<std::uint8_t, Layout::cells> queue_;
  int settled_ = 0, propagated_ = 0;
};

}  // namespace trm::sudoku::detail
