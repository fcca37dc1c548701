// SPDX-License-Identifier: MIT
#include "trm/data/sudoku/symmetry.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "trm/data/sudoku/solver.hpp"
#include "trm/data/sudoku/text.hpp"

using namespace trm::sudoku;

static trm::draws from(std::uint64_t i) { return trm::philox{3}.at(trm::purpose::augmentation, i); }

TEST_CASE("the identity changes nothing") {
  for (const char* line : {"1..............4", "123......1232......................6"}) {
    const board b = parse_puzzle(line);
    CHECK(identity_symmetry()(b) == b);
  }
}

TEST_CASE("a symmetry takes solutions to solutions, clue by clue") {
  const board puzzle =
      parse_puzzle("8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..");
  const board solution = solve(puzzle).solution;
  bool transposed = false, straight = false;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const symmetry s = random_symmetry(9, from(i));
    const board moved = s(puzzle);
    CHECK(is_solved(s(solution)));
    CHECK(extends(s(solution), moved));
    CHECK(clues(moved) == clues(puzzle));
    CHECK(solve(moved).unique());
    CHECK(solve(moved).solution == s(solution));
    CHECK(random_symmetry(9, from(i)) == s);
    (s.transpose ? transposed : straight) = true;
  }
  CHECK(transposed);
  CHECK(straight);
}

TEST_CASE("6 x 6 is never transposed") {
  const board solution = parse_puzzle("123456456123214365365214531642642531");
  for (std::uint64_t i = 0; i < 50; ++i) {
    const symmetry s = random_symmetry(6, from(i));
    CHECK_FALSE(s.transpose);
    CHECK(is_solved(s(solution)));
  }
}

TEST_CASE("every symmetry of 4 x 4 comes up") {
  // A board on which different symmetries do different things: 4! relabellings of 2^7 arrangements of five kinds of cells.
  std::set<std::string> seen;
  const board cells = parse_puzzle("1234000000000000");
  for (std::uint64_t i = 0; i < 4000; ++i) {
    symmetry s = random_symmetry(4, from(i));
    s.digits = identity_symmetry().digits;
    seen.insert(to_line(s(cells)));
  }
  CHECK(seen.size() == 2 * 4 * 8);  // transposed or not, the row where they are, the order of the other lines
}
