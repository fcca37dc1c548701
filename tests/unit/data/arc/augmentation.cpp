// SPDX-License-Identifier: MIT
#include "trm/data/arc/augmentation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "grids.hpp"
#include "trm/data/numpy_random.hpp"

using namespace trm::arc;
using trm_test::grid_of;
using trm_test::text;

TEST_CASE("the eight symmetries, recorded from numpy's rot90, fliplr, flipud and T") {
  const grid g = grid_of({"012", "345"});
  const std::array<const char*, 8> expected = {"012/345", "25/14/03", "543/210",  "30/41/52",
                                               "210/543", "345/012",  "03/14/25", "52/41/30"};
  for (int t = 0; t < 8; ++t) CHECK(text(dihedral(g, t)) == expected[static_cast<std::size_t>(t)]);
}

TEST_CASE("the symmetries are a group: all 64 compositions, inverses, no two alike") {
  const grid g = grid_of({"0123", "4567", "8901"});  // no symmetry maps it to itself
  std::set<std::string> images;
  for (int t = 0; t < 8; ++t) images.insert(text(dihedral(g, t)));
  CHECK(images.size() == 8);
  for (int a = 0; a < 8; ++a) {
    std::set<std::string> row;
    for (int b = 0; b < 8; ++b) row.insert(text(dihedral(dihedral(g, a), b)));
    CHECK(row == images);  // closed, and composition with a is a permutation
    CHECK(dihedral(dihedral(g, a), inverse_transform(a)) == g);
    CHECK(inverse_transform(inverse_transform(a)) == a);
  }
}

TEST_CASE("the table of the 64 compositions is the same on every shape, and turns add") {
  std::array<std::array<int, 8>, 8> table{};
  const auto fill = [](int rows, int columns) {
    grid g(rows, columns);
    trm::numpy_random random(static_cast<std::uint32_t>(rows * 31 + columns));
    for (auto& cell : g.cells()) cell = static_cast<std::uint8_t>(random.randint(0, 10));
    return g;
  };
  const grid reference = fill(5, 7);
  for (int a = 0; a < 8; ++a) {
    for (int b = 0; b < 8; ++b) {
      int match = -1;
      for (int c = 0; c < 8; ++c) {
        if (dihedral(dihedral(reference, a), b) == dihedral(reference, c)) match = c;
      }
      REQUIRE(match >= 0);
      table[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)] = match;
    }
  }
  for (int a = 0; a < 4; ++a) {
    for (int b = 0; b < 4; ++b) CHECK(table[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)] == (a + b) % 4);
  }
  for (const auto& [rows, columns] : {std::pair{1, 1}, {1, 30}, {30, 1}, {2, 3}, {30, 30}, {29, 30}}) {
    const grid g = fill(rows, columns);
    for (int a = 0; a < 8; ++a) {
      for (int b = 0; b < 8; ++b) {
        CHECK(dihedral(dihedral(g, a), b) ==
              dihedral(g, table[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)]));
      }
    }
  }
}

TEST_CASE("the 64 compositions are those of the turns and mirrors of the plane") {
  // Where a cell of the image, seen from the middle, comes from: row and column as {of row, of column}.
  using matrix = std::array<std::array<int, 2>, 2>;
  constexpr std::array<matrix, 8> source = {{{{{1, 0}, {0, 1}}},
                                             {{{0, 1}, {-1, 0}}},
                                             {{{-1, 0}, {0, -1}}},
                                             {{{0, -1}, {1, 0}}},
                                             {{{1, 0}, {0, -1}}},
                                             {{{-1, 0}, {0, 1}}},
                                             {{{0, 1}, {1, 0}}},
                                             {{{0, -1}, {-1, 0}}}}};
  const auto product = [](const matrix& a, const matrix& b) {
    matrix c{};
    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t j = 0; j < 2; ++j) c[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j];
    }
    return c;
  };
  const grid g = grid_of({"0123456", "7890123", "4560897"});
  for (std::size_t a = 0; a < 8; ++a) {
    CHECK(product(source[a], source[static_cast<std::size_t>(inverse_transform(static_cast<int>(a)))]) == source[0]);
    for (std::size_t b = 0; b < 8; ++b) {
      const auto c = std::ranges::find(source, product(source[a], source[b]));
      REQUIRE(c != source.end());
      CHECK(dihedral(dihedral(g, static_cast<int>(a)), static_cast<int>(b)) ==
            dihedral(g, static_cast<int>(c - source.begin())));
    }
  }
}

TEST_CASE("random augmentations of random grids: undone by their inverse, and by that of their parsed name") {
  trm::numpy_random random(9);
  for (int trial = 0; trial < 2000; ++trial) {
    grid g(static_cast<int>(random.randint(1, 31)), static_cast<int>(random.randint(1, 31)));
    for (auto& cell : g.cells()) cell = static_cast<std::uint8_t>(random.randint(0, 10));
    augmentation how{.transform = trial % 8};
    random.shuffle(how.colours);
    const grid image = how.apply(g);
    CHECK(how.inverse().apply(image) == g);
    CHECK(dihedral(recolour(g, how.colours), how.transform) == recolour(dihedral(g, how.transform), how.colours));
    const std::string name = compose_name("task", how);
    const puzzle_name parts = parse_name(name);
    CHECK(parts.how == how);
    CHECK(compose_name(parts.task, parts.how) == name);
    CHECK(parts.how.inverse().apply(image) == g);
  }
}

TEST_CASE("an augmentation and its inverse undo each other, also on the empty grid") {
  trm::numpy_random random(1);
  const grid g = grid_of({"0123456789", "9081726354"});
  for (int i = 0; i < 200; ++i) {
    augmentation how{.transform = static_cast<int>(random.randint(0, 8))};
    random.shuffle(how.colours);
    CHECK(how.inverse().apply(how.apply(g)) == g);
    CHECK(how.apply(how.inverse().apply(g)) == g);
    CHECK(how.inverse().inverse() == how);
    CHECK(how.apply(grid()) == grid());
  }
}

TEST_CASE("colours are mapped before the grid is turned") {
  const augmentation how{.transform = 1, .colours = {0, 2, 1, 3, 4, 5, 6, 7, 8, 9}};
  CHECK(text(how.apply(grid_of({"01", "23"}))) == "23/01");
}

TEST_CASE("names are composed and taken apart") {
  const augmentation how{.transform = 3, .colours = {0, 9, 8, 7, 6, 5, 4, 3, 2, 1}};
  CHECK(compose_name("00d62c1b", how) == "00d62c1b|||t3|||0987654321");
  const puzzle_name parts = parse_name("00d62c1b|||t3|||0987654321");
  CHECK(parts.task == "00d62c1b");
  CHECK(parts.how == how);
  CHECK(parse_name("00d62c1b").task == "00d62c1b");
  CHECK(parse_name("00d62c1b").how == augmentation{});
  CHECK(parse_name("|||t0|||0123456789").task.empty());
}

TEST_CASE("a name with separators but no augmentation is refused") {
  for (const char* name :
       {"a|||", "a|||t0", "a|||t0|||", "a|||t8|||0123456789", "a|||x0|||0123456789", "a|||t|||0123456789",
        "a|||t00|||0123456789", "a|||t0|||012345678", "a|||t0|||01234567890", "a|||t0|||0123456788",
        "a|||t0|||012345678:", "a|||b|||t0|||0123456789", "|||||||||", "a|||t0|||0123456789|||"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(parse_name(name), trm::error);
  }
  CHECK_THROWS_WITH_AS(parse_name("a|||t9|||0123456789"),
                       "puzzle \"a|||t9|||0123456789\": the transform is not t0 to t7, expected TASK|||t0|||0123456789",
                       trm::error);
  CHECK_THROWS_WITH_AS(parse_name("a\n|||"),
                       "puzzle \"a?|||\": one separator instead of two, expected TASK|||t0|||0123456789", trm::error);
}
