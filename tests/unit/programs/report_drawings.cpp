// SPDX-License-Identifier: MIT
// Drawings of puzzles: what is marked, what is refused, how large they are.
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "../../../examples/program/report/drawings.hpp"
#include "report_html.hpp"
#include "support/throws.hpp"

using namespace program::report;
using trm_test::check_error;
using trm_test::html_reader;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// A well-formed drawing and nothing else.
std::string drawn(std::string svg) {
  CHECK(html_reader(svg).error() == "");
  CHECK(svg.starts_with("<svg class=\"drawing "));
  return svg;
}

}  // namespace

TEST_CASE("ARC: a run of cells of one colour is one stroke") {
  const std::vector<int> cells{3, 3, 3, 0, 3, 9};
  const std::string svg = drawn(arc_grid(2, 3, cells));
  CHECK(has(svg, "<path class=\"run a3\" d=\"M0 0h3M1 1h1\"/>"));
  CHECK(has(svg, "<path class=\"run a0\" d=\"M0 1h1\"/>"));
  CHECK(has(svg, "<path class=\"run a9\" d=\"M2 1h1\"/>"));
  CHECK(has(svg, "aria-label=\"Grid of 2 rows and 3 columns\""));
  CHECK_FALSE(has(svg, "dot"));
  CHECK_FALSE(has(svg, "hatch"));
}

TEST_CASE("ARC: cells that differ are marked and counted, invalid ones hatched") {
  const std::vector<int> cells{1, 1, 1, 10, -1, 1}, truth{1, 2, 2, 1, 1, 1};
  const std::string svg = drawn(arc_grid(2, 3, cells, truth));
  CHECK(has(svg, "<path class=\"dot wrong\" d=\"M1 0h1.1M0 1h1.1\"/>"));
  CHECK(has(svg, "<path class=\"run hatch\" d=\"M0 1h2\"/>"));
  CHECK(has(svg, "4 of 6 cells wrong"));
  CHECK(has(arc_grid(2, 3, truth, truth), "all cells right"));
}

TEST_CASE("ARC: grids of the library; another size is said, an empty one too") {
  trm::arc::grid a(2, 2), b(2, 2), c(1, 3);
  b(1, 1) = 4;
  CHECK(has(drawn(arc_grid(a, &b)), "1 of 4 cells wrong"));
  const std::string other = arc_grid(a, &c);
  CHECK(html_reader(other).error() == "");
  CHECK(has(other, "2 \u00d7 2, not 1 \u00d7 3"));
  CHECK_FALSE(has(other, "dot"));
  CHECK(has(arc_grid(trm::arc::grid()), "no cell was written"));
}

TEST_CASE("ARC: seventeen drawings of 30 x 30 cells take 250 KB at most, of a picture 40 KB") {
  std::vector<int> noise(900), truth(900), picture(900);
  unsigned state = 1;
  for (std::size_t i = 0; i < 900; ++i) {
    state = state * 1664525u + 1013904223u;
    noise[i] = static_cast<int>(state >> 16) % 10;
    truth[i] = (noise[i] + static_cast<int>(i % 2)) % 10;  // marks one by one, no runs
    picture[i] = (i / 30 / 5 + i % 30 / 6) % 2 == 0 ? 0 : 4;
  }
  CHECK(17 * arc_grid(30, 30, noise, truth).size() <= 250000);
  CHECK(17 * arc_grid(30, 30, picture, picture).size() <= 40000);
}

TEST_CASE("Sudoku: clues are bold, wrong cells have a tint, a corner and a digit of their own kind") {
  const std::vector<int> given{1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const std::vector<int> truth{1, 2, 3, 4, 3, 4, 1, 2, 2, 1, 4, 3, 4, 3, 2, 1};
  std::vector<int> answer = truth;
  answer[1] = 3;
  answer[2] = 0;
  const std::string svg = drawn(sudoku(4, 2, 2, given, answer, truth));
  CHECK(has(svg, "<tspan class=\"g\" x=\"0\">1</tspan>"));
  CHECK(has(svg, "<tspan class=\"w\" x=\"20\">3</tspan>"));
  CHECK(has(svg, "<tspan class=\"w\" x=\"40\">\u2013</tspan>"));
  CHECK(has(svg, "<path class=\"run mistake\" d=\"M1 0h2\"/>"));
  CHECK(has(svg, "class=\"corner\" d=\"M2 0h-.36l.36 .36zM3 0h"));
  CHECK(has(svg, "<path class=\"boxes\" d=\"M0 2h4M2 0v4\"/>"));
  CHECK(has(svg, "2 of 16 cells wrong"));
  // A clue that the model overwrote is a mistake as any other.
  answer[0] = 2;
  CHECK(has(sudoku(4, 2, 2, given, answer, truth), "<tspan class=\"w\" x=\"0\">2</tspan>"));
  // Clues alone: nothing else is written.
  const std::string clues = drawn(sudoku(4, 2, 2, given));
  CHECK(html_reader(clues).count("tspan") == 2);
  CHECK_FALSE(has(clues, "wrong"));
  // Without the truth nothing is called wrong.
  CHECK_FALSE(has(sudoku(4, 2, 2, given, answer), "mistake"));
}

TEST_CASE("Sudoku: boxes need not be square, digits may have two figures") {
  const std::vector<int> six(36, 6), sixteen(256, 16);
  CHECK(has(drawn(sudoku(6, 2, 3, six)), "d=\"M0 2h6M0 4h6M3 0v6\""));
  CHECK(has(drawn(sudoku(16, 4, 4, sixteen)), ">16</tspan>"));
}

TEST_CASE("maze: walls, path, start and goal; a missing path is marked otherwise than a wrong one") {
  const std::vector<int> truth{maze_wall, maze_start, maze_path, maze_path, maze_open, maze_goal};
  const std::vector<int> answer{maze_wall, maze_start, maze_open, maze_path, maze_path, maze_goal};
  const std::string svg = drawn(maze(2, 3, answer, truth));
  CHECK(has(svg, "class=\"run wall\" d=\"M0 0h1\""));
  CHECK(has(svg, "class=\"run way\" d=\"M0 1h2\""));
  CHECK(has(svg, "class=\"start\" cx=\"1.5\" cy=\"0.5\""));
  CHECK(has(svg, "class=\"goal\" d=\"M2 1.5"));
  CHECK(has(svg, "class=\"dot missing\" d=\"M2 0h.1\""));
  CHECK(has(svg, "class=\"dot wrong\" d=\"M1 1h.1\""));
  CHECK(has(svg, "2 of 6 cells wrong"));
  const std::vector<int> invalid{7, -7, 0, 0, 0, 0};
  CHECK(has(drawn(maze(2, 3, invalid)), "class=\"run hatch\" d=\"M0 0h2\""));
}

TEST_CASE("numbers of cells that do not fit are refused") {
  const std::vector<int> six(6), four(4);
  check_error([&] { arc_grid(2, 2, six); }, "drawing of a grid: 6 cells and 0 of the truth for 2 x 2");
  check_error([&] { arc_grid(2, 3, six, four); }, "6 cells and 4 of the truth for 2 x 3");
  check_error([&] { arc_grid(0, 3, {}); }, "0 x 3 cells, both sides must be 1 to 64");
  check_error([&] { arc_grid(65, 1, six); }, "65 x 1 cells");
  check_error([&] { maze(-1, -6, six); }, "drawing of a maze: -1 x -6 cells");
  check_error([&] { sudoku(2, 1, 2, six); }, "drawing of a Sudoku: 6 cells");
  check_error([&] { sudoku(2, 1, 2, four, six); }, "drawing of a Sudoku");
  check_error([&] { sudoku(2, 0, 2, four); }, "boxes of 0 x 2 do not fill a side of 2");
  check_error([&] { sudoku(2, 1, 3, four); }, "boxes of 1 x 3");
}
