// SPDX-License-Identifier: MIT
#include "trm/data/sudoku/split.hpp"

#include <doctest/doctest.h>

#include <cstdint>

#include "support/throws.hpp"
#include "trm/data/sudoku/random_solution.hpp"

using namespace trm::sudoku;
using trm_test::check_error;

TEST_CASE("the classes of the small sizes hold all boards") {
  std::int64_t boards = 0;
  CHECK(solution_classes(4).size() == 2);
  for (const auto& c : solution_classes(4)) boards += c.boards;
  CHECK(boards == 288);
  boards = 0;
  CHECK(solution_classes(6).size() == 49);
  for (const auto& c : solution_classes(6)) boards += c.boards;
  CHECK(boards == 28200960);
  check_error([] { solution_classes(9); }, "too many");
}

TEST_CASE("symmetric boards are on the same side, about the wanted fraction is held out") {
  for (const int size : {6, 9}) {
    CAPTURE(size);
    const solution_split split(size, 1, 0.25), other(size, 2, 0.25);
    int held_out = 0, differently = 0;
    constexpr int boards = 400;
    for (std::uint64_t i = 0; i < boards; ++i) {
      draw_stream random(trm::philox{9}.at(trm::purpose::user, i));
      const board b = random_solution(size, random);
      held_out += split.held_out(b);
      differently += split.held_out(b) != other.held_out(b);
      CHECK(split.held_out(random.draw_symmetry(size)(b)) == split.held_out(b));
    }
    CHECK(held_out == doctest::Approx(boards * split.share()).epsilon(0.35));  // 4 standard deviations
    CHECK(differently > 0);
  }
}

TEST_CASE("6 x 6 comes within a percent of the fraction for most seeds") {
  int near = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) near += std::abs(solution_split(6, seed, 0.1).share() - 0.1) < 0.01;
  CHECK(near >= 4);
}

TEST_CASE("there is a class on each side, whatever the fraction") {
  for (const int size : {4, 6}) {
    for (const double fraction : {1e-9, 0.5, 1 - 1e-9}) {
      const solution_split split(size, 3, fraction);
      CHECK(split.share() > 0);
      CHECK(split.share() < 1);
    }
  }
}

TEST_CASE("what makes no sense is refused") {
  check_error([] { solution_split(9, 0, 0); }, "between 0 and 1");
  check_error([] { solution_split(9, 0, 1); }, "between 0 and 1");
  check_error([] { solution_split(5, 0, 0.5); }, "size 5");
  check_error([] { solution_split(9, 0, 0.5).held_out(board(6)); }, "size 6 in a split of size 9");
  check_error([] { solution_split(9, 0, 0.5).held_out(board(9)); }, "not solved");
}
