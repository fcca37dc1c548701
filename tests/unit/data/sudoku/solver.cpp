// SPDX-License-Identifier: MIT
#include "trm/data/sudoku/solver.hpp"

#include <doctest/doctest.h>

#include <string>

#include "trm/core/random.hpp"
#include "trm/data/sudoku/symmetry.hpp"
#include "trm/data/sudoku/text.hpp"

using namespace trm::sudoku;

static const board easy =
    parse_puzzle("53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79");
static const board hard =
    parse_puzzle("8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..");

TEST_CASE("the solution of a puzzle") {
  const search_result r = solve(easy);
  CHECK(r.unique());
  CHECK(to_line(r.solution) == "534678912672195348198342567859761423426853791713924856961537284287419635345286179");
  CHECK(r.guesses == 0);
  CHECK(rating(easy) == 0);
  const search_result h = solve(hard);
  CHECK(h.unique());
  CHECK(is_solved(h.solution));
  CHECK(extends(h.solution, hard));
  CHECK(h.dead_ends > 10);
  CHECK(h.guesses > h.dead_ends);
}

TEST_CASE("all solved boards are counted: 288 of 4 x 4") {
  CHECK(solve(board(4), {.solutions = 1000}).solutions == 288);
  CHECK(solve(board(4), {.solutions = 10}).solutions == 10);
  // 6 x 6 with its first row given: 28200960 / 6!.
  board b(6);
  for (int i = 0; i < 6; ++i) b[i] = static_cast<std::uint8_t>(i + 1);
  CHECK(solve(b, {.solutions = 100000}).solutions == 39168);
}

TEST_CASE("two solutions, no solution") {
  board two = solve(easy).solution;
  for (int row = 0; row < 9; ++row) {
    for (int column = 0; column < 9; ++column) {
      if (two(row, column) <= 2) two(row, column) = 0;  // 1 and 2 can always be exchanged
    }
  }
  CHECK(solve(two).solutions == 2);
  CHECK_FALSE(solve(two).unique());
  board none = easy;
  none(0, 2) = 5;
  CHECK(solve(none).solutions == 0);
  CHECK(clues(solve(none).solution) == 0);
  // Consistent, but the last cell of the first row has no candidate.
  const board blocked =
      parse_puzzle("12345678.........9...............................................................");
  CHECK(is_consistent(blocked));
  CHECK(solve(blocked).solutions == 0);
}

TEST_CASE("a limit of guesses ends the search and says so") {
  const search_result r = solve(hard, {.solutions = 2, .guesses = 3});
  CHECK(r.guesses == 3);
  CHECK_FALSE(r.complete);
  CHECK_FALSE(r.unique());
}

TEST_CASE("one more clue in a completing cell leaves the wanted solution only, in any other cell it does not") {
  using layout = detail::layout<9>;
  using planes = detail::digit_planes<layout>;
  const board solved = solve(hard).solution;
  const planes wanted(solved);
  int completing = 0;
  for (int away = 0; away < 81; ++away) {
    if (hard[away] == 0) continue;
    board open = hard;
    open[away] = 0;
    const planes c(open);
    const auto cells = detail::completing_cells(c, wanted, c.unsettled_but(away), 100000);
    CHECK_FALSE(detail::contains<layout>(cells, away));
    for (int cell = 0; cell < 81; ++cell) {
      if (hard[cell] != 0) continue;
      board one_more = open;
      one_more[cell] = solved[cell];
      CHECK(detail::contains<layout>(cells, cell) == solve(one_more).unique());
      completing += detail::contains<layout>(cells, cell);
    }
    CHECK(detail::completing_cells(c, wanted, c.unsettled_but(away), 0) == planes::plane{});
  }
  CHECK(completing > 0);
}

TEST_CASE("the rating does not depend on the names of the digits") {
  const std::uint64_t expected = rating(hard);
  for (std::uint32_t i = 0; i < 20; ++i) {
    symmetry s = identity_symmetry();
    s.digits = random_symmetry(9, trm::philox{5}.at(trm::purpose::user, i)).digits;
    CHECK(rating(s(hard)) == expected);
  }
}

TEST_CASE("how far singles go") {
  const deduction naked = solve_by_naked_singles(easy), both = solve_by_singles(easy);
  CHECK(naked.solved);
  CHECK(naked.cells == both.cells);
  // Needs hidden singles.
  const board hidden =
      parse_puzzle("..............3.85..1.2.......5.7.....4...1...9.......5......73..2.1........4...9");
  CHECK_FALSE(solve_by_naked_singles(hidden).solved);
  CHECK(clues(solve_by_naked_singles(hidden).cells) == clues(hidden));
  CHECK(solve_by_singles(hidden).solved);
  const deduction stuck = solve_by_singles(hard);
  CHECK_FALSE(stuck.solved);
  CHECK_FALSE(stuck.contradiction);
  CHECK(extends(stuck.cells, hard));
  CHECK(extends(solve(hard).solution, stuck.cells));
  board wrong = easy;
  wrong(0, 2) = 5;
  CHECK(solve_by_naked_singles(wrong).contradiction);
}
