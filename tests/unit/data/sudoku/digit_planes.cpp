// SPDX-License-Identifier: MIT
#include "trm/data/sudoku/digit_planes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "trm/data/sudoku/text.hpp"

using namespace trm::sudoku;
using planes = detail::digit_planes<detail::layout<9>>;

static planes of(const char* puzzle) { return planes(parse_puzzle(puzzle)); }

TEST_CASE("singles settle cells, and a settled digit goes from the peers") {
  planes c = of("53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79");
  REQUIRE(c.propagate());
  CHECK(c.complete());
  CHECK(to_line(c.settled()) == "534678912672195348198342567859761423426853791713924856961537284287419635345286179");

  planes one;
  one.settle(40, 5);
  REQUIRE(one.propagate());
  CHECK_FALSE(one.complete());
  for (int cell = 0; cell < 81; ++cell) {
    const int row = cell / 9, column = cell % 9;
    const bool peer = row == 4 || column == 4 || (row / 3 == 1 && column / 3 == 1);
    CHECK(one[cell] == (cell == 40 ? 1u << 4 : peer ? 0x1ffu & ~(1u << 4) : 0x1ffu));
  }
  CHECK(clues(one.settled()) == 1);
}

TEST_CASE("a digit that a box has in one row only goes from the rest of the row; so do columns, and boxes from lines") {
  // In the first box 1 must be in the first row (columns 0 to 2), then nowhere else in that row.
  planes pointing;
  for (const int cell : {9, 10, 11, 18, 19, 20}) pointing.exclude(cell, 1);
  REQUIRE(pointing.propagate());
  for (int cell = 3; cell < 9; ++cell) CHECK_FALSE(pointing.possible(cell, 1));
  CHECK(pointing.possible(0, 1));
  CHECK(pointing.possible(12, 1));
  // In the first column 2 must be in the first box, then nowhere else in that box.
  planes claiming;
  for (int row = 3; row < 9; ++row) claiming.exclude(9 * row, 2);
  REQUIRE(claiming.propagate());
  for (const int cell : {1, 2, 10, 11, 19, 20}) CHECK_FALSE(claiming.possible(cell, 2));
  CHECK(claiming.possible(9, 2));
  CHECK(claiming.possible(3, 2));
}

TEST_CASE("contradictions: two equal clues in a unit, a cell and a digit without a place") {
  for (const int second : {8, 72, 10}) {  // row, column and box of cell 0
    CAPTURE(second);
    board b;
    b[0] = b[second] = 1;
    CHECK_FALSE(planes(b).propagate());
  }
  CHECK_FALSE(of("12345678.........9...............................................................").propagate());
  planes nowhere;
  for (int column = 0; column < 9; ++column) nowhere.exclude(9 + column, 3);
  CHECK_FALSE(nowhere.propagate());
}

TEST_CASE("the cell to guess in has the fewest candidates") {
  planes c = of("8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..");
  REQUIRE(c.propagate());
  const auto count = [&](int cell) { return detail::count_bits(c[cell]); };
  int fewest = 9;
  for (int cell = 0; cell < 81; ++cell) {
    if (count(cell) > 1) fewest = std::min(fewest, count(cell));
  }
  CHECK(count(c.branching_cell()) == fewest);
  CHECK(count(c.any_cell()) == fewest);
  CHECK(planes().branching_cell() == 0);
}
