// SPDX-License-Identifier: MIT
#include "trm/data/arc/evaluation.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "grids.hpp"

using namespace trm::arc;
using trm_test::grid_of;

namespace {

/// A canvas of 3 x 3 tokens is well-formed by the result of crop().
bool read_well(std::vector<int> tokens) { return well_formed<int>(tokens, 3, crop<int>(tokens, 3)); }

/// By the definition: some rectangle at the corner has colours within and end tokens along its lower and right side.
bool has_rectangle(std::span<const int> tokens, int side) {
  const auto at = [&](int row, int column) { return tokens[static_cast<std::size_t>(row * side + column)]; };
  for (int rows = 1; rows <= side; ++rows) {
    for (int columns = 1; columns <= side; ++columns) {
      bool right = true;
      for (int r = 0; r < rows; ++r) {
        for (int c = 0; c < columns; ++c) right = right && at(r, c) >= 2 && at(r, c) <= 11;
        right = right && (columns == side || at(r, columns) == eos_token);
      }
      for (int c = 0; c < columns; ++c) right = right && (rows == side || at(rows, c) == eos_token);
      if (right) return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("a well-formed canvas has its end tokens; what stands beyond them does not matter") {
  CHECK(read_well({2, 3, 1, 1, 1, 0, 0, 0, 0}));
  CHECK(read_well({2, 3, 1, 1, 1, 9, 9, 5, 1}));
  CHECK(read_well({2, 3, 4, 1, 1, 1, 0, 0, 0}));        // as wide as the canvas: no token beside it
  CHECK(read_well({2, 3, 4, 5, 6, 7, 8, 9, 10}));       // the whole canvas
  CHECK_FALSE(read_well({2, 3, 0, 1, 1, 0, 0, 0, 0}));  // the row has no end
  CHECK_FALSE(read_well({2, 3, 1, 1, 0, 0, 0, 0, 0}));  // the grid has no end below one column
  CHECK_FALSE(read_well({2, 3, 1, 4, 1, 1, 1, 0, 0}));  // ragged
  CHECK_FALSE(read_well({1, 2, 1, 1, 0, 0, 0, 0, 0}));  // no cell
  CHECK_FALSE(read_well({12, 1, 1, 1, 0, 0, 0, 0, 0}));
}

TEST_CASE("the published reading finds the well-formed rectangle if there is one") {
  std::mt19937 random(3);
  int found = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<int> tokens(9);
    for (int& t : tokens) t = random() % 3 == 0 ? 0 : random() % 2 == 0 ? 1 : 2 + static_cast<int>(random() % 11);
    const bool well = well_formed<int>(tokens, 3, crop<int>(tokens, 3));
    CHECK(well == has_rectangle(tokens, 3));
    found += well;
  }
  CHECK(found > 100);
}

TEST_CASE("what encode writes is well-formed") {
  for (int rows = 1; rows <= 4; ++rows) {
    for (int columns = 1; columns <= 4; ++columns) {
      std::vector<std::uint8_t> tokens(16);
      encode<std::uint8_t>(grid(rows, columns), 4, 0, 0, tokens);
      CHECK(well_formed<std::uint8_t>(tokens, 4, crop<std::uint8_t>(tokens, 4)));
    }
  }
}

TEST_CASE("dummy outputs are taken away only where all are and not all can be real") {
  const example shows_row{grid_of({"12"}), grid_of({"12"})}, shows_cell{grid_of({"12"}), grid_of({"3"})};
  const example dummy{grid_of({"5"}), grid(1, 1)}, real{grid_of({"5"}), grid_of({"6"})};
  std::vector<task> tasks = {{"a", {shows_row}, {dummy, dummy}, false}, {"b", {shows_cell}, {dummy}, false}};
  std::vector<task> some = {{"a", {shows_row}, {dummy, real}, false}, {"b", {shows_row}, {dummy}, false}};
  std::vector<task> cells = {{"b", {shows_cell}, {dummy}, false}};
  CHECK(remove_dummy_solutions(some) == 0);
  CHECK(remove_dummy_solutions(cells) == 0);
  CHECK(remove_dummy_solutions(tasks) == 3);
  CHECK_FALSE(tasks[1].test[0].output.has_value());
  CHECK(remove_dummy_solutions(tasks) == 0);
}
