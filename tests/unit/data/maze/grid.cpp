// SPDX-License-Identifier: MIT
#include "trm/data/maze/grid.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "support/corruption.hpp"
#include "support/throws.hpp"
#include "trm/data/maze/render.hpp"

using namespace trm::maze;
using trm_test::check_error;

TEST_CASE("tokens are the published ones: padding 0, then the characters # SGo in order") {
  std::vector<std::int32_t> tokens(9);
  encode<std::int32_t>(parse_line("# SGo# SG", "m"), tokens);
  CHECK(tokens == std::vector<std::int32_t>{1, 2, 3, 4, 5, 1, 2, 3, 4});
  CHECK(decode<std::int32_t>(tokens) == parse_line("# SGo# SG", "m"));
  CHECK(vocabulary == 6);
}

TEST_CASE("any predicted tokens are a grid; what is no cell is unknown") {
  const std::vector<std::int32_t> tokens = {0, 6, -1, 5, std::numeric_limits<std::int32_t>::max(), 1, -100, 2, 3};
  CHECK(to_line(decode<std::int32_t>(tokens)) == "???o?#? S");
  check_error([] { decode<std::int32_t>(std::vector<std::int32_t>(8)); }, "maze: 8 tokens are not a square");
  check_error([] { decode<std::int32_t>(std::vector<std::int32_t>()); }, "maze: 0 tokens");
  check_error([] { decode<std::int32_t>(std::vector<std::int32_t>(65 * 65)); }, "maze: 4225 tokens");
}

TEST_CASE("a maze is written as lines or as one line, and read again") {
  const grid g = parse("S # \n #  \n   #\n## G\n", "m");
  CHECK(g.side() == 4);
  CHECK(g(0, 0) == cell::start);
  CHECK(g(3, 3) == cell::goal);
  CHECK(g(1, 1) == cell::wall);
  CHECK(to_line(g) == "S #  #     ### G");
  CHECK(to_text(g) == "S # \n #  \n   #\n## G\n");
  CHECK(parse(to_line(g) + "\r\n", "m") == g);
  CHECK(parse("S # \r\n #  \r\n   #\r\n## G\r\n\r\n", "m") == g);
  CHECK(parse("S # \n #  \n   #\n## G", "m") == g);
}

TEST_CASE("what is no maze is refused with line and column") {
  check_error([] { parse("S #\n#x#\n  G\n", "m.txt"); }, "m.txt: line 2, column 2: 'x' is no cell of a maze");
  check_error([] { parse("S #\n\t##\n  G\n", "m.txt"); }, "m.txt: line 2, column 1: byte 0x09 is no cell");
  check_error([] { parse("S #\n#\n  G\n", "m.txt"); }, "m.txt: line 2: 1 cells in one of 3 lines");
  check_error([] { parse("S #\n####\n  G\n", "m.txt"); }, "m.txt: line 2: 4 cells");
  check_error([] { parse("S #", "m.txt"); }, "m.txt: 3 characters are not a square");
  check_error([] { parse_line("S ?G", "m.csv"); }, "m.csv: cell 3 (row 2, column 1): '?' is no cell");
  check_error([] { parse("", "m.txt"); }, "m.txt: 0 characters");
  check_error([] { parse(std::string(65, '\n') + "#", "m.txt"); }, "m.txt: 66 lines, a maze has at most 64");
  check_error([] { grid(65); }, "a side of 65, must be 1 to 64");
  check_error([] { grid(0); }, "a side of 0");
}

TEST_CASE("in colours every cell is two columns wide and differences are marked") {
  const grid g = parse("S#\no \n", "m"), expected = parse("S#\n G\n", "m");
  CHECK(to_ansi(g) ==
        "\x1b[48;5;41;38;5;16mS \x1b[48;5;238;38;5;16m  \x1b[0m\n"
        "\x1b[48;5;220;38;5;16m  \x1b[48;5;231;38;5;16m  \x1b[0m\n");
  const std::string marked = to_ansi(g, expected);
  CHECK(marked.substr(marked.find('\n') + 1) == "\x1b[48;5;220;38;5;16m><\x1b[48;5;231;38;5;16m><\x1b[0m\n");
  check_error([&] { to_ansi(g, grid(3)); }, "different sides");
}

TEST_CASE("whatever the bytes, a maze or a trm::error") {
  for (const std::string valid : {"S # \r\n #o \r\n  o#\r\n## G\r\n", "S # #oG  "}) {
    const auto counts = trm_test::corrupt(valid, [](const std::string& text) { parse(text, "m"); });
    CHECK(counts.accepted > 0);
    CHECK(counts.refused > 0);
  }
}
