// SPDX-License-Identifier: MIT
#include "trm/data/arc/grid.hpp"

#include <doctest/doctest.h>

#include "grids.hpp"

using trm::arc::grid;
using trm_test::grid_of;

TEST_CASE("sides of 1 to 30, everything else is refused") {
  CHECK(grid(1, 30).size() == 30);
  CHECK(grid(30, 30).size() == 900);
  for (const auto& [rows, columns] : {std::pair{0, 1}, {1, 0}, {31, 1}, {1, 31}, {-1, 5}, {5, 257}}) {
    CHECK_THROWS_AS(grid(rows, columns), trm::error);
  }
  CHECK_THROWS_WITH_AS(grid(31, 2), "grid: 31 x 2 cells, both sides must be 1 to 30", trm::error);
}

TEST_CASE("equality is shape and cells") {
  CHECK(grid_of({"12", "34"}) == grid_of({"12", "34"}));
  CHECK(grid_of({"12", "34"}) != grid_of({"12", "35"}));
  CHECK(grid_of({"1234"}) != grid_of({"12", "34"}));
  CHECK(grid() == grid());
  CHECK(grid() != grid(1, 1));
  grid shrunk = grid_of({"999", "999"});
  shrunk = grid_of({"12"});
  CHECK(shrunk == grid_of({"12"}));
}

TEST_CASE("the hash is SHA-256 of rows, columns and cells") {
  // hashlib.sha256(bytes([2, 3]) + bytes([0, 1, 2, 3, 4, 5])).hexdigest(), hashlib.sha256(bytes([0, 0])).hexdigest()
  CHECK(trm::to_hex(hash(grid_of({"012", "345"}))) ==
        "ab9cb75e0fc8851387cceea2ca1eb5eaebad6285055146bf55cd20bcbc33c3b4");
  CHECK(trm::to_hex(hash(grid())) == "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7");
}
