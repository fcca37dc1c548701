// SPDX-License-Identifier: MIT
#include "trm/data/arc/encoding.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "grids.hpp"
#include "trm/data/numpy_random.hpp"

using namespace trm::arc;
using trm_test::grid_of;
using tokens = std::vector<int>;

static tokens encoded(const grid& g, int side, int top, int left) {
  tokens out(static_cast<std::size_t>(side * side), -7);
  encode<int>(g, side, top, left, out);
  return out;
}
static grid cropped(const tokens& t, int side) { return crop<int>(t, side); }

TEST_CASE("colours, end-of-grid along the row below and the column beside, padding") {
  CHECK(encoded(grid_of({"09", "12"}), 4, 0, 0) == tokens{2, 11, 1, 0,  //
                                                          3, 4, 1, 0,   //
                                                          1, 1, 0, 0,   //
                                                          0, 0, 0, 0});
  CHECK(encoded(grid_of({"09", "12"}), 4, 1, 2) == tokens{0, 0, 0, 0,   //
                                                          0, 0, 2, 11,  //
                                                          0, 0, 3, 4,   //
                                                          0, 0, 1, 1});
  CHECK(encoded(grid_of({"5"}), 1, 0, 0) == tokens{7});
  CHECK(encoded(grid(), 2, 0, 0) == tokens{0, 0, 0, 0});
}

TEST_CASE("what does not fit is refused") {
  std::vector<std::uint8_t> out(16);
  CHECK_THROWS_WITH_AS(encode<std::uint8_t>(grid(3, 3), 4, 2, 0, out),
                       "canvas: a grid of 3 x 3 at (2, 0) does not fit into 4 x 4", trm::error);
  CHECK_THROWS_AS(encode<std::uint8_t>(grid(3, 3), 4, 0, -1, out), trm::error);
  CHECK_THROWS_AS(encode<std::uint8_t>(grid(3, 3), 5, 0, 0, out), trm::error);
  CHECK_THROWS_AS(encode<std::uint8_t>(grid(3, 3), 31, 0, 0, out), trm::error);
  CHECK_THROWS_AS(crop<std::uint8_t>(out, 5), trm::error);
  CHECK_THROWS_AS(crop<std::uint8_t>({}, 0), trm::error);
  CHECK(canvas_side(900) == 30);
  CHECK(canvas_side(1) == 1);
  for (const std::size_t n : {0u, 2u, 899u, 901u, 961u}) CHECK_THROWS_AS(canvas_side(n), trm::error);
}

TEST_CASE("every shape on every smaller canvas is read back") {
  trm::numpy_random random(0);
  for (const int side : {1, 2, 7, 30}) {
    for (int rows = 1; rows <= side; ++rows) {
      for (int columns = 1; columns <= side; ++columns) {
        grid g(rows, columns);
        for (auto& cell : g.cells()) cell = static_cast<std::uint8_t>(random.randint(0, 10));
        REQUIRE(cropped(encoded(g, side, 0, 0), side) == g);
      }
    }
  }
}

TEST_CASE("the crop is the largest rectangle of colours, of equals the one of fewest rows") {
  CHECK(cropped({2, 3, 1,  //
                 4, 1, 1,  //
                 5, 1, 1},
                3) == grid_of({"0", "2", "3"}));  // 3 x 1 beats 1 x 2
  CHECK(cropped({2, 3, 1,                         //
                 4, 1, 1,                         //
                 1, 1, 1},
                3) == grid_of({"01"}));  // 1 x 2 and 2 x 1 are equally large
  CHECK(cropped({2, 3, 4,                //
                 5, 6, 0,                //
                 7, 8, 9},
                3) == grid_of({"01", "34", "56"}));  // holes end a row for good
}

TEST_CASE("a prediction may be any integers") {
  CHECK(cropped({1, 2, 2, 2}, 2).empty());
  CHECK(cropped({0, 2, 2, 2}, 2).empty());
  CHECK(cropped({-1, 2, 2, 2}, 2).empty());
  CHECK(cropped({std::numeric_limits<int>::min(), 2, 2, 2}, 2).empty());
  CHECK(cropped({11, 12, 2, 2}, 2) == grid_of({"9", "0"}));
  const std::vector<std::uint64_t> wide = {2, std::numeric_limits<std::uint64_t>::max(), 1, 1};
  CHECK(crop<std::uint64_t>(wide, 2) == grid_of({"0"}));
}
