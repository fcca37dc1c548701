// SPDX-License-Identifier: MIT
#include "trm/data/arc/render.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "grids.hpp"

using namespace trm::arc;
using trm_test::grid_of;

TEST_CASE("plain: grids of different heights side by side, differing cells marked, no line ends in blanks") {
  const grid target = grid_of({"12", "34"});
  const std::vector<panel> panels = {
      {"input", grid_of({"123"})}, {"prediction", grid_of({"12", "30", "55"}), target}, {"target", target}};
  CHECK(render(panels, palette::plain) ==
        "input 1x3   prediction 3x2   target 2x2\n"
        "1 2 3       1 2              1 2\n"
        "            3 0!             3 4\n"
        "            5!5!\n");
}

TEST_CASE("an empty prediction is said to be empty") {
  CHECK(render(std::vector<panel>{{"prediction", grid()}, {"", grid_of({"7"})}}, palette::plain) ==
        "prediction (empty)   1x1\n"
        "                     7\n");
  CHECK(render({}, palette::plain) == "\n");
}

TEST_CASE("cells wider than the caption set the width") {
  CHECK(render(std::vector<panel>{{"", grid_of({"0123456789"})}, {"b", grid_of({"1"})}}, palette::plain) ==
        "1x10                   b 1x1\n"
        "0 1 2 3 4 5 6 7 8 9    1\n");
}

TEST_CASE("colours: background for each cell, a contrasting mark where cells differ, reset at the end of a grid") {
  const std::vector<panel> panels = {{"p", grid_of({"03"}), grid_of({"13"})}, {"t", grid_of({"13"})}};
  CHECK(render(panels, palette::true_colour) ==
        "p 1x2   t 1x2\n"
        "\x1b[48;2;0;0;0;38;5;231m><\x1b[48;2;46;204;64m  \x1b[0m    \x1b[48;2;0;116;217m  \x1b[48;2;46;204;64m  "
        "\x1b[0m\n");
  CHECK(render(panels, palette::ansi_256) ==
        "p 1x2   t 1x2\n"
        "\x1b[48;5;16;38;5;231m><\x1b[48;5;41m  \x1b[0m    \x1b[48;5;32m  \x1b[48;5;41m  \x1b[0m\n");
}
