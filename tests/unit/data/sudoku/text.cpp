// SPDX-License-Identifier: MIT
#include "trm/data/sudoku/text.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/corruption.hpp"
#include "support/throws.hpp"

using namespace trm::sudoku;
using trm_test::check_error;

static const std::string line9 = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79";

TEST_CASE("a puzzle is a line or a drawn grid") {
  const board puzzle = parse_puzzle(line9);
  CHECK(puzzle.size() == 9);
  CHECK(puzzle(0, 1) == 3);
  CHECK(puzzle(8, 8) == 9);
  CHECK(to_line(puzzle) == line9);
  CHECK(parse_puzzle(draw(puzzle)) == puzzle);
  CHECK(parse_puzzle("1_0. .... 00__ ...4\n") == parse_puzzle("1..............4"));
  const char* const drawn =
      "+-------+-------+\r\n| 1 2 3 | . . . |\r\n| . . . | 1 2 3 |\r\n+=======+=======+\r\n"
      "| 2 . . | . . . |\r\n| . . . | . . . |\r\n|-------+-------|\r\n| . . . | . . . |\r\n| . . . | . . 6 |\r\n";
  CHECK(to_line(parse_puzzle(drawn)) == "123......1232......................6");
}

TEST_CASE("an error names line and column") {
  check_error([] { parse_puzzle("12.4\n..x.\n....\n....", "p.txt"); }, "p.txt: line 2, column 3: x is no cell");
  check_error([] { parse_puzzle("1..4\n..5.\n....\n...."); }, "puzzle: line 2, column 3: 5 in a puzzle of size 4");
  check_error([] { parse_puzzle(line9 + "."); }, "line 1, column 82: more than 81 cells");
  check_error([] { parse_puzzle("1234"); }, "found 4 cells");
  check_error([] { parse_puzzle(""); }, "found 0 cells");
}

TEST_CASE("a text holds puzzles one a line, or one drawn grid") {
  const std::string text = "# two\n\n1..............4\r\n" + line9 + "\n";
  const auto puzzles = parse_puzzles(text);
  REQUIRE(puzzles.size() == 2);
  CHECK(puzzles[0].size() == 4);
  CHECK(to_line(puzzles[1]) == line9);
  const auto one = parse_puzzles("# drawn\n" + draw(puzzles[1]));
  REQUIRE(one.size() == 1);
  CHECK(one[0] == puzzles[1]);
  check_error([&] { parse_puzzles(text + "12.\n", "p.txt"); }, "p.txt: line 5: found 3 cells");
  check_error([&] { parse_puzzles(text + line9 + "1"); }, "line 5, column 82");
  check_error([] { parse_puzzles("# none\n\n"); }, "no puzzle");
  check_error([] { parse_puzzles("#\n12.4\n..x.\n....\n...."); }, "line 3, column 3");
}

TEST_CASE("clues and wrong cells are marked") {
  const board clues = parse_puzzle("1..............4");
  board filled = parse_puzzle("1234341221434321");
  CHECK(draw(filled) ==
        "+-----+-----+\n| 1 2 | 3 4 |\n| 3 4 | 1 2 |\n+-----+-----+\n| 2 1 | 4 3 |\n| 4 3 | 2 1 |\n+-----+-----+\n");
  CHECK(draw(filled, {.clues = &clues}).find("| 4 3 | 2 1!|") != std::string::npos);  // a changed clue
  board expected = filled;
  expected(0, 1) = 3;
  CHECK(draw(filled, {.expected = &expected}).find("| 1 2!| 3 4 |") != std::string::npos);
  const std::string colour = draw(filled, {&clues, &expected, true});
  CHECK(colour.find("| \x1b[1m1\x1b[0m \x1b[31m2\x1b[0m | 3 4 |") != std::string::npos);
  CHECK(colour.find("\x1b[1;31m1\x1b[0m |") != std::string::npos);
  const board other(9);
  CHECK(draw(filled, {&other, &other}) == draw(filled));
}

TEST_CASE("arbitrary text is a board or an error of one line") {
  const auto read = [](const std::string& text) { (void)draw(parse_puzzle(text)); };
  const auto counts = trm_test::corrupt(draw(parse_puzzle(line9)), read);
  CHECK(counts.refused > 1000);
  CHECK(counts.accepted > 100);
  const auto several = trm_test::corrupt("# a\n1..............4\n.234............\n",
                                         [](const std::string& text) { (void)parse_puzzles(text); });
  CHECK(several.refused > 100);
}
