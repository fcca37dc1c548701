// SPDX-License-Identifier: MIT
#include "trm/data/sudoku/board.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "support/throws.hpp"
#include "trm/data/sudoku/text.hpp"

using namespace trm::sudoku;
using trm_test::check_error;

static const char* const solved6 = "123456456123214365365214531642642531";

TEST_CASE("the boxes of the three sizes") {
  CHECK(geometry_of(4) == geometry{4, 2, 2});
  CHECK(geometry_of(6) == geometry{6, 2, 3});
  CHECK(geometry_of(9) == geometry{9, 3, 3});
  CHECK(geometry_of(6).box_of(1 * 6 + 3) == 1);
  CHECK(geometry_of(6).box_of(2 * 6 + 2) == 2);
  CHECK(geometry_of(9).box_of(80) == 8);
  CHECK(geometry_of(6).bands() == 3);
  CHECK(geometry_of(6).stacks() == 2);
  check_error([] { board(5); }, "size 5");
  check_error([] { board(std::span<const std::uint8_t>(std::vector<std::uint8_t>(80))); }, "80 cells");
  check_error([] { board(std::span<const std::uint8_t>(std::vector<std::uint8_t>(16, 5))); }, "cell 0 is 5");
}

TEST_CASE("a digit twice in a row, a column or a box is inconsistent") {
  const board solution = parse_puzzle(solved6);
  CHECK(is_solved(solution));
  board b(6);
  CHECK(is_consistent(b));
  CHECK_FALSE(is_solved(b));
  for (const int other : {5, 30, 8}) {  // the row, the column, the box of cell 0
    b = board(6);
    b[0] = b[other] = 4;
    CHECK_FALSE(is_consistent(b));
  }
  b = board(6);
  b[0] = b[9] = 4;  // none of them
  CHECK(is_consistent(b));
  b = solution;
  b[0] = b[1];
  CHECK_FALSE(is_solved(b));
}

TEST_CASE("a filled board extends a puzzle where it keeps the clues") {
  const board solution = parse_puzzle(solved6);
  board puzzle = solution;
  puzzle[3] = puzzle[7] = 0;
  CHECK(clues(puzzle) == 34);
  CHECK(extends(solution, puzzle));
  puzzle[0] = 2;
  CHECK_FALSE(extends(solution, puzzle));
  CHECK_FALSE(extends(board(9), board(6)));
}

TEST_CASE("tokens are one more than digits") {
  board puzzle = parse_puzzle(solved6);
  puzzle[2] = 0;
  std::vector<int> tokens(36);
  encode(puzzle, std::span(tokens));
  CHECK(tokens[0] == 2);
  CHECK(tokens[2] == 1);
  const decoded back = decode(std::span<const int>(tokens));
  CHECK(back.cells == puzzle);
  CHECK(back.malformed.empty());
}

TEST_CASE("any token can be decoded") {
  std::vector<std::int64_t> tokens(81, 5);
  tokens[0] = 0;
  tokens[1] = 10;
  tokens[2] = 11;
  tokens[3] = -1;
  tokens[4] = std::numeric_limits<std::int64_t>::max();
  tokens[5] = std::numeric_limits<std::int64_t>::min();
  tokens[6] = 1;
  const decoded d = decode(std::span<const std::int64_t>(tokens));
  CHECK(d.malformed == std::vector<int>{0, 2, 3, 4, 5});
  CHECK(d.cells[1] == 9);
  CHECK(d.cells[3] == 0);
  CHECK(d.cells[6] == 0);
  CHECK(d.cells[7] == 4);
  check_error([&] { decode(std::span<const std::int64_t>(tokens).first(80)); }, "80 of them");
}
