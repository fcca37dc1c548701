// SPDX-License-Identifier: MIT
#include "trm/data/sudoku/generator.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "support/throws.hpp"
#include "trm/data/sudoku/text.hpp"

using namespace trm::sudoku;
using trm_test::check_error;

static void check_valid(const puzzle& p) {
  const search_result r = solve(p.question);
  CHECK(r.unique());
  CHECK(r.solution == p.solution);
  CHECK(static_cast<std::int64_t>(r.dead_ends) == p.rating);
}

TEST_CASE("a minimal puzzle has one solution, and no clue too many") {
  for (const int size : {4, 6, 9}) {
    CAPTURE(size);
    const generator make({.size = size, .seed = 1});
    for (std::uint64_t i = 0; i < 5; ++i) {
      puzzle p = make(i);
      check_valid(p);
      for (int cell = 0; cell < p.question.cells(); ++cell) {
        const std::uint8_t digit = p.question[cell];
        if (digit == 0) continue;
        p.question[cell] = 0;
        CHECK(solve(p.question).solutions == 2);
        p.question[cell] = digit;
      }
    }
  }
}

TEST_CASE("puzzle i is a function of the seed and i") {
  const generator a({.seed = 7}), b({.seed = 7}), other({.seed = 8});
  const puzzle last = a(3);
  std::set<std::string> seen;
  for (std::uint64_t i = 0; i < 4; ++i) seen.insert(to_line(b(i).question));
  CHECK(seen.size() == 4);
  CHECK(b(3).question == last.question);
  CHECK(b(3).solution == last.solution);
  CHECK_FALSE(other(3).question == last.question);
}

TEST_CASE("clues within their range, rating 0: no guess is needed") {
  const generator make({.size = 9, .min_clues = 30, .max_clues = 40, .minimal = false, .max_rating = 0});
  std::set<int> counts;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const puzzle p = make(i);
    check_valid(p);
    counts.insert(clues(p.question));
    CHECK(solve(p.question).guesses == 0);
  }
  CHECK(*counts.begin() >= 30);
  CHECK(*counts.rbegin() <= 40);
  CHECK(counts.size() > 7);
}

TEST_CASE("ratings within their range") {
  for (const bool minimal : {true, false}) {
    const generator make(
        {.min_clues = minimal ? 0 : 26, .max_clues = 30, .minimal = minimal, .min_rating = 5, .max_rating = 20});
    for (std::uint64_t i = 0; i < 5; ++i) {
      const puzzle p = make(i);
      check_valid(p);
      CHECK(p.rating >= 5);
      CHECK(p.rating <= 20);
      CHECK(clues(p.question) <= 30);
      if (!minimal) CHECK(clues(p.question) >= 26);
    }
  }
}

TEST_CASE("hard puzzles are minimal, and a function of the seed and their number") {
  const generator make({.seed = 3, .min_rating = 10}), again({.seed = 3, .min_rating = 10});
  std::set<std::string> solutions;
  for (std::uint64_t i = 0; i < 10; ++i) {
    puzzle p = make(i);
    check_valid(p);
    CHECK(p.rating >= 10);
    CHECK(again(i).question == p.question);
    solutions.insert(to_line(p.solution));
    for (int cell = 0; cell < p.question.cells(); ++cell) {
      const std::uint8_t digit = p.question[cell];
      if (digit == 0) continue;
      p.question[cell] = 0;
      CHECK(solve(p.question).solutions == 2);
      p.question[cell] = digit;
    }
  }
  CHECK(solutions.size() == 10);
}

TEST_CASE("only accepted solutions are used") {
  generator_options options{.size = 6};
  options.accept_solution = [](const board& b) { return b[0] == 3; };
  const generator make(options);
  for (std::uint64_t i = 0; i < 20; ++i) CHECK(make(i).solution[0] == 3);
}

TEST_CASE("options that cannot be met are errors") {
  check_error([] { generator({.size = 5}); }, "size 5");
  check_error([] { generator({.min_clues = 30, .max_clues = 20}); }, "clues from 30 to 20");
  check_error([] { generator({.size = 4, .min_clues = 17}); }, "of 16 cells");
  check_error([] { generator({.min_rating = 2, .max_rating = 1}); }, "min_rating");
  check_error([] { generator({.attempts = 0}); }, "attempts");
  check_error([] { generator({.size = 4, .min_clues = 12, .attempts = 20})(0); }, "within 20 attempts");
}
