// SPDX-License-Identifier: MIT
#include "trm/data/maze/generator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "support/throws.hpp"
#include "trm/core/sha256.hpp"

using namespace trm::maze;
using trm_test::check_error;

namespace {

void check_puzzle(const puzzle& made, const generator_options& options) {
  CHECK(made.question.side() == options.side);
  CHECK(made.path_length >= options.min_path);
  const auto found = solve(made.question);
  REQUIRE(found);
  CHECK(found->length() == made.path_length);
  if (options.one_shortest) {
    CHECK(found->count == 1);
    CHECK(mark(made.question, *found) == made.answer);
  }
  const answer_check check = check_answer(made.question, made.answer, made.answer);
  CHECK((check.keeps_maze && check.is_path && check.is_shortest));
}

}  // namespace

TEST_CASE("mazes as hard as Maze-Hard: 30 x 30, one shortest path of more than 110 steps") {
  generator mazes({});
  for (std::uint64_t number = 0; number < 4; ++number) {
    const puzzle made = mazes.make(number);
    check_puzzle(made, {});
    const auto walls = std::ranges::count(made.question.cells(), cell::wall);
    CHECK(walls > 900 * 27 / 100);
    CHECK(walls < 900 * 50 / 100);
  }
}

TEST_CASE("mazes of other sides and lengths") {
  for (const auto& options : {generator_options{.side = 5, .min_path = 6, .seed = 1},
                              generator_options{.side = 11, .min_path = 15, .seed = 2},
                              generator_options{.side = 11, .min_path = 15, .one_shortest = false, .seed = 2},
                              generator_options{.side = 64, .min_path = 120, .seed = 3},
                              generator_options{.side = 6, .min_path = 1, .min_walls = 0, .max_walls = 0}}) {
    generator mazes(options);
    CAPTURE(options.side);
    for (std::uint64_t number = 0; number < 20; ++number) check_puzzle(mazes.make(number), options);
  }
}

TEST_CASE("a maze is a function of seed and number alone") {
  const generator_options options{.side = 10, .min_path = 14, .seed = 9};
  generator forwards(options), backwards(options), other({.side = 10, .min_path = 14, .seed = 10});
  const puzzle first = forwards.make(0), second = forwards.make(1);
  CHECK(backwards.make(1).answer == second.answer);
  CHECK(backwards.make(0).answer == first.answer);
  CHECK(first.answer != second.answer);
  CHECK(other.make(0).answer != first.answer);
}

TEST_CASE("the mazes of a seed do not change from one version to the next") {
  generator mazes({.side = 16, .min_path = 30, .seed = 7});
  trm::sha256 digest;
  for (std::uint64_t number = 0; number < 20; ++number) digest.update(to_line(mazes.make(number).answer));
  CHECK(trm::to_hex(digest.finish()) == "a29ae0da5db265163287ae42349bd63bee3cdee5692a380bec2dc931b4247ff7");
}

TEST_CASE("options without mazes are refused") {
  check_error([] { generator({.side = 4}); }, "maze generator: side: 4, must be 5 to 64");
  check_error([] { generator({.side = 65}); }, "side: 65");
  check_error([] { generator({.side = 10}); }, "min_path: 111, must be 1 to 99 for a side of 10");
  check_error([] { generator({.min_path = 0}); }, "min_path: 0");
  check_error([] { generator({.min_walls = 0.6}); }, "min_walls, max_walls: must be 0 <= min_walls <= max_walls < 1");
  check_error([] { generator({.side = 5, .min_path = 24, .max_fields = 100}).make(0); },
              "no maze with a path of 24 steps in 100 fields of side 5: take a smaller min_path");
}
