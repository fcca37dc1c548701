// SPDX-License-Identifier: MIT
// Candidates as one bit a cell for each digit, and what follows from them: singles and locked candidates.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "trm/data/sudoku/board.hpp"
#include "trm/data/sudoku/propagation.hpp"

namespace trm::sudoku::detail {

/// Set bits. Written out: where the compiler may not use the instruction, std::popcount is a call.
constexpr int count_bits(std::uint64_t x) {
  x -= x >> 1 & 0x5555555555555555u;
  x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
  return static_cast<int>(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
}

/// Locked candidates of one digit among the segments that lines and boxes share: bit line * boxes + box of a pattern says
/// whether the digit is possible there. A line with one such box takes it from the other lines, a box with one such line
/// takes that line from the other boxes. The entry is what is left in the end, 0 where a line or a box has no place.
template <std::size_t Lines, std::size_t Boxes>
inline constexpr std::array<std::uint16_t, std::size_t{1} << Lines * Boxes> locked_segments = [] {
  constexpr auto line = [](std::size_t i) { return ((1u << Boxes) - 1) << i * Boxes; };
  constexpr auto box = [](std::size_t i) {
    std::uint32_t mask = 0;
    for (std::size_t l = 0; l < Lines; ++l) mask |= 1u << (l * Boxes + i);
    return mask;
  };
  std::array<std::uint16_t, std::size_t{1} << Lines * Boxes> left{};
  for (std::size_t pattern = 0; pattern < left.size(); ++pattern) {
    auto now = static_cast<std::uint32_t>(pattern);
    for (std::uint32_t before = 0; now != before && now != 0;) {
      before = now;
      for (std::size_t i = 0; i < Lines * Boxes; ++i) {
        if ((now >> i & 1) == 0) continue;
        const std::uint32_t l = line(i / Boxes), b = box(i % Boxes), here = 1u << i;
        if ((now & l) == here || (now & b) == here) now &= ~(l | b) | here;
      }
      for (std::size_t i = 0; i < Lines; ++i) now = (now & line(i)) == 0 ? 0 : now;
      for (std::size_t i = 0; i < Boxes; ++i) now = (now & box(i)) == 0 ? 0 : now;
    }
    left[pattern] = static_cast<std::uint16_t>(now);
  }
  return left;
}();

/// What is known of a puzzle: for every digit the cells where it can be, a word for each band. Row r of a band has the bits
/// from r * size on. A cell is settled when its digit is known and was taken from its peers.
template <class Layout>
class digit_planes {
 public:
  static constexpr std::size_t size = Layout::size;
  static constexpr std::size_t bands = static_cast<std::size_t>(Layout::shape.bands());
  using word = std::uint32_t;
  using plane = std::array<word, bands>;
  static constexpr word full =
      (1u << size * static_cast<std::size_t>(Layout::shape.box_rows)) - 1;  // every cell of a band

  digit_planes() {
    for (plane& p : of_) p.fill(full);
    settled_.fill(0);
  }
  /// Where two clues contradict each other, propagate() will say so.
  explicit digit_planes(const board& b) {
    for (plane& p : of_) p.fill(0);
    settled_.fill(0);
    for (int cell = 0; cell < Layout::cells; ++cell) {
      if (b[cell] == 0) continue;
      const place& at = place_of(cell);
      of_[b[cell] - 1u][at.band] |= at.bit;
      settled_[at.band] |= at.bit;
    }
    for (plane& p : of_) {
      for (std::size_t band = 0; band < bands; ++band) p[band] |= full & ~settled_[band];
    }
    for (int cell = 0; cell < Layout::cells; ++cell) {
      if (b[cell] != 0) confine(b[cell] - 1u, place_of(cell));
    }
    changed_ = all_digits;
  }

  /// Digit d is bit d - 1.
  std::uint16_t operator[](int cell) const {
    const place at = place_of(cell);
    std::uint32_t mask = 0;
    for (std::size_t d = 0; d < size; ++d) mask |= std::uint32_t{(of_[d][at.band] & at.bit) != 0} << d;
    return static_cast<std::uint16_t>(mask);
  }
  bool possible(int cell, int digit) const {
    return (of_[static_cast<std::size_t>(digit - 1)][place_of(cell).band] & place_of(cell).bit) != 0;
  }
  /// Every cell is settled. After propagate() the board is solved.
  bool complete() const {
    return std::ranges::all_of(settled_, [](word w) { return w == full; });
  }

  /// The cell has this digit (1 to size) and no other. Requires that it is possible.
  void settle(int cell, int digit) {
    const place at = place_of(cell);
    take_from_others(static_cast<std::size_t>(digit - 1), at.band, at.bit);
    confine(static_cast<std::size_t>(digit - 1), at);
    settled_[at.band] |= at.bit;
  }
  /// The cell has not this digit.
  void exclude(int cell, int digit) {
    of_[static_cast<std::size_t>(digit - 1)][place_of(cell).band] &= ~place_of(cell).bit;
    changed_ |= 1u << (digit - 1);
  }

  /// Naked and hidden singles and locked candidates until there are no more of any; false at a contradiction.
  bool propagate() {
    do {
      while (changed_ != 0) {
        const auto d = static_cast<std::size_t>(std::countr_zero(changed_));
        changed_ &= changed_ - 1;
        if (!locked_candidates(of_[d])) return false;
        for (std::size_t band = 0; band < bands; ++band) {
          const word found = alone_in_box(of_[d][band]) & ~settled_[band];
          if (found == 0) continue;
          settled_[band] |= found;
          take_from_others(d, band, found);
        }
      }
      if (!naked_singles()) return false;
    } while (changed_ != 0);
    return true;
  }

  /// The cell to guess in: of the unsettled cells with the fewest candidates the one whose peers share the most with it,
  /// those with two candidates counted three times; the first in reading order where that is equal. Requires propagate()
  /// and !complete().
  int branching_cell() const {
    const counts count(of_);
    plane two, fewest;
    for (std::size_t band = 0; band < bands; ++band) two[band] = count.equal(band, 2);
    for (unsigned n = 2;; ++n) {
      word any = 0;
      for (std::size_t band = 0; band < bands; ++band) any |= fewest[band] = count.equal(band, n);
      if (any != 0) break;
    }
    int best = -1, most = -1;
    for (std::size_t band = 0; band < bands; ++band) {
      for (word left = fewest[band]; left != 0; left &= left - 1) {
        const int cell = cell_of(band, left);
        const int shared = candidates_shared(cell, two);
        if (shared > most) best = cell, most = shared;
      }
    }
    return best;
  }
  /// Some unsettled cell, with two candidates where there is one. Requires propagate() and !complete().
  int any_cell() const {
    for (std::size_t band = 0; band < bands; ++band) {
      word once = 0, twice = 0, more = 0;
      for (const plane& p : of_) {
        more |= twice & p[band];
        twice |= once & p[band];
        once |= p[band];
      }
      if ((twice & ~more) != 0) return cell_of(band, twice & ~more);
    }
    return branching_cell();
  }

  /// The settled cells; the others are empty. Requires propagate().
  board settled() const {
    board b(Layout::size);
    for (std::size_t d = 0; d < size; ++d) {
      for (std::size_t band = 0; band < bands; ++band) {
        for (word left = of_[d][band] & settled_[band]; left != 0; left &= left - 1) {
          b[cell_of(band, left)] = static_cast<std::uint8_t>(d + 1);
        }
      }
    }
    return b;
  }
  /// The cells that are not settled, without one of them.
  plane unsettled_but(int cell) const {
    plane left;
    for (std::size_t band = 0; band < bands; ++band) left[band] = full & ~settled_[band];
    left[place_of(cell).band] &= ~place_of(cell).bit;
    return left;
  }
  /// The cells where the digit (1 to size) is possible, by bands.
  const plane& of(int digit) const { return of_[static_cast<std::size_t>(digit - 1)]; }

 private:
  static constexpr std::size_t box_rows = Layout::shape.box_rows, box_columns = Layout::shape.box_columns;
  static constexpr std::size_t stacks = static_cast<std::size_t>(Layout::shape.stacks());
  static constexpr int band_cells = static_cast<int>(size * box_rows);
  static constexpr word row = (1u << size) - 1, box_row = (1u << box_columns) - 1;
  static constexpr std::uint32_t all_digits = row;
  /// A row of bits times this: those bits in every row of a band.
  static constexpr word rows = [] {
    word w = 0;
    for (std::size_t i = 0; i < box_rows; ++i) w |= 1u << i * size;
    return w;
  }();
  /// Of a row: bit b says that a column of box b is set.
  static constexpr auto boxes_of_row = [] {
    std::array<std::uint8_t, row + 1> t{};
    for (std::size_t i = 0; i < t.size(); ++i) {
      for (std::size_t b = 0; b < stacks; ++b) {
        if ((i >> b * box_columns & box_row) != 0) t[i] = static_cast<std::uint8_t>(t[i] | 1u << b);
      }
    }
    return t;
  }();
  /// Of a row: the columns that are the only one set in their box.
  static constexpr auto lone_columns = [] {
    std::array<std::uint16_t, row + 1> t{};
    for (std::size_t i = 0; i < t.size(); ++i) {
      for (std::size_t b = 0; b < stacks; ++b) {
        const auto part = static_cast<word>(i) & box_row << b * box_columns;
        if (is_single(part)) t[i] = static_cast<std::uint16_t>(t[i] | part);
      }
    }
    return t;
  }();
  /// locked_segments of the rows of a band, each segment as its cells.
  static constexpr auto rows_left = [] {
    const auto& left = locked_segments<box_rows, stacks>;
    std::array<word, left.size()> t{};
    for (std::size_t i = 0; i < t.size(); ++i) {
      for (std::size_t s = 0; s < box_rows * stacks; ++s) {
        if ((left[i] >> s & 1) != 0) t[i] |= box_row << s * box_columns;
      }
    }
    return t;
  }();
  struct place {
    std::size_t band;
    word bit;
    word line_and_box, column;  // of the cell in its band; its column in the other bands
  };
  static constexpr auto places = [] {
    std::array<place, Layout::cells> all{};
    for (std::size_t cell = 0; cell < all.size(); ++cell) {
      const std::size_t r = cell / size % box_rows, c = cell % size;
      const word column = rows << c, box = rows * (box_row << c / box_columns * box_columns);
      all[cell] = {cell / size / box_rows, 1u << (r * size + c), row << r * size | column | box, column};
    }
    return all;
  }();
  static constexpr const place& place_of(int cell) { return places[static_cast<std::size_t>(cell)]; }
  static constexpr int cell_of(std::size_t band, word bits) {
    return static_cast<int>(band) * band_cells + std::countr_zero(bits);
  }

  /// Candidates of every cell as binary numbers, digit i of the number in word i.
  struct counts {
    std::array<plane, 4> digits{};
    explicit counts(const std::array<plane, size>& planes) {
      for (const plane& p : planes) {
        for (std::size_t band = 0; band < bands; ++band) {
          word carry = p[band];
          for (plane& d : digits) {
            const word both = d[band] & carry;
            d[band] ^= carry;
            carry = both;
          }
        }
      }
    }
    word equal(std::size_t band, unsigned n) const {
      word same = full;
      for (std::size_t i = 0; i < digits.size(); ++i) same &= (n >> i & 1) != 0 ? digits[i][band] : ~digits[i][band];
      return same;
    }
  };

  int candidates_shared(int cell, const plane& two) const {
    const place& at = place_of(cell);
    const auto peers = [&](const plane& p) {
      // Columns of other bands side by side: there are at most two such bands.
      std::uint64_t elsewhere = 0;
      for (std::size_t i = 0, shift = 32; i < bands; ++i) {
        if (i != at.band) elsewhere |= std::uint64_t{p[i] & at.column} << shift++;
      }
      return (p[at.band] & at.line_and_box & ~at.bit) | elsewhere;
    };
    const std::uint64_t pairs = peers(two);
    int shared = 0;
    for (const plane& p : of_) {
      if ((p[at.band] & at.bit) == 0) continue;
      const std::uint64_t same = peers(p);
      shared += count_bits(same) + 2 * count_bits(same & pairs);
    }
    return shared;
  }

  /// Takes the digit from the peers of a cell.
  void confine(std::size_t digit, const place& at) {
    plane& p = of_[digit];
    for (std::size_t band = 0; band < bands; ++band)
      p[band] &= ~(band == at.band ? at.line_and_box & ~at.bit : at.column);
    changed_ |= 1u << digit;
  }
  void take_from_others(std::size_t digit, std::size_t band, word cells) {
    for (std::size_t d = 0; d < size; ++d) {
      if (d == digit || (of_[d][band] & cells) == 0) continue;
      of_[d][band] &= ~cells;
      changed_ |= 1u << d;
    }
  }

  /// Of one digit, in rows and in columns, until there are no more; false where a row, a column or a box has no place.
  static bool locked_candidates(plane& p) {
    plane columns;  // that have a place in a band
    for (;;) {
      for (std::size_t band = 0; band < bands; ++band) {
        std::size_t pattern = 0;
        word folded = 0;
        for (std::size_t r = 0; r < box_rows; ++r) {
          pattern |= std::size_t{boxes_of_row[p[band] >> r * size & row]} << r * stacks;
        }
        p[band] &= rows_left[pattern];
        for (std::size_t r = 0; r < box_rows; ++r) folded |= p[band] >> r * size;
        columns[band] = folded & row;
        if (columns[band] == 0) return false;
      }
      plane left{};
      for (std::size_t stack = 0; stack < stacks; ++stack) {
        std::size_t pattern = 0;
        for (std::size_t band = 0; band < bands; ++band) {
          pattern |= std::size_t{columns[band] >> stack * box_columns & box_row} << band * box_columns;
        }
        const word kept = locked_segments<bands, box_columns>[pattern];
        if (kept == 0) return false;
        for (std::size_t band = 0; band < bands; ++band) {
          left[band] |= (kept >> band * box_columns & box_row) << stack * box_columns;
        }
      }
      if (left == columns) return true;
      for (std::size_t band = 0; band < bands; ++band) p[band] &= left[band] * rows;
    }
  }

  /// The places that are the only one in their box. Where there are no locked candidates, one that is alone in its row or
  /// its column is among them: it has taken the digit from the rest of its box.
  static word alone_in_box(word p) {
    word once = 0, twice = 0;
    for (std::size_t r = 0; r < box_rows; ++r) {
      const word here = p >> r * size & row;
      twice |= once & here;
      once |= here;
    }
    return p & (lone_columns[once] & ~twice) * rows;
  }

  /// Settles the cells with one candidate; false where a cell has none.
  bool naked_singles() {
    for (std::size_t band = 0; band < bands; ++band) {
      word once = 0, twice = 0;
      for (const plane& p : of_) {
        twice |= once & p[band];
        once |= p[band];
      }
      if (once != full) return false;
      for (word left = once & ~twice & ~settled_[band]; left != 0; left &= left - 1) {
        const int cell = cell_of(band, left);
        const place& at = place_of(cell);
        settled_[band] |= at.bit;
        for (std::size_t d = 0; d < size; ++d) {
          if ((of_[d][band] & at.bit) != 0) confine(d, at);
        }
      }
    }
    return true;
  }

  std::array<plane, size> of_;
  plane settled_;
  std::uint32_t changed_ = 0;  // digits whose plane changed since its last locked_candidates
};

/// Has a set of cells this cell?
template <class Layout>
constexpr bool contains(const typename digit_planes<Layout>::plane& cells, int cell) {
  constexpr int band = Layout::cells / Layout::shape.bands();
  return (cells[static_cast<std::size_t>(cell / band)] >> cell % band & 1) != 0;
}

}  // namespace trm::sudoku::detail
