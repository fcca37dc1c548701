// SPDX-License-Identifier: MIT
#include "trm/data/maze/symmetry.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using namespace trm::maze;

/// Cells of all five kinds without any symmetry.
static grid odd_grid(int side) {
  grid g(side);
  for (std::size_t i = 0; i < g.size(); ++i) g[i] = static_cast<cell>(1 + i * i % 31 % 5);
  return g;
}

TEST_CASE("the eight symmetries are those of ARC grids, in their order") {
  for (const int side : {1, 2, 5, 30}) {
    const grid g = odd_grid(side);
    trm::arc::grid same(side, side);
    for (std::size_t i = 0; i < g.size(); ++i) same.cells()[i] = static_cast<std::uint8_t>(g[i]);
    for (int transform = 0; transform < dihedral_transforms; ++transform) {
      CAPTURE(side);
      CAPTURE(transform);
      const trm::arc::grid expected = trm::arc::dihedral(same, transform);
      const grid found = dihedral(g, transform);
      for (std::size_t i = 0; i < g.size(); ++i) REQUIRE(static_cast<std::uint8_t>(found[i]) == expected.cells()[i]);
    }
  }
}

TEST_CASE("each is undone by its inverse, also beyond 30 cells") {
  const grid g = odd_grid(64);
  for (int transform = 0; transform < dihedral_transforms; ++transform) {
    CHECK(dihedral(dihedral(g, transform), inverse_transform(transform)) == g);
    CHECK((dihedral(g, transform) == g) == (transform == 0));
  }
}
