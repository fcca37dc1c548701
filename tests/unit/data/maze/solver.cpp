// SPDX-License-Identifier: MIT
#include "trm/data/maze/solver.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/throws.hpp"
#include "trm/core/random.hpp"
#include "trm/data/maze/render.hpp"

using namespace trm::maze;
using trm_test::check_error;

static answer_check judged(const char* question, const char* answer) {
  const grid q = parse(question, "q");
  return check_answer(q, mark(q, *solve(q)), parse(answer, "a"));
}

TEST_CASE("the shortest path, cell by cell") {
  const grid g = parse("S # \n# # \n#   \n# #G\n", "m");
  const auto found = solve(g);
  REQUIRE(found);
  CHECK(found->cells == std::vector<std::size_t>{0, 1, 5, 9, 10, 11, 15});
  CHECK(found->length() == 6);
  CHECK(found->count == 1);
  CHECK(to_text(mark(g, *found)) == "So# \n#o# \n#ooo\n# #G\n");
}

TEST_CASE("neighbours are one step apart, and there may be no way at all") {
  CHECK(solve(parse("SG\n  \n", "m"))->length() == 1);
  CHECK(!solve(parse("S#\n#G\n", "m")));
  CHECK(!solve(parse("S# \n## \n  G\n", "m")));
}

TEST_CASE("an open field has binomially many shortest paths; their number saturates") {
  grid open(30);
  open(0, 0) = cell::start;
  open(15, 16) = cell::goal;
  CHECK(solve(open)->count == 300540195);  // 31 over 15
  CHECK(solve(open)->length() == 31);
  grid large(64);
  large(0, 0) = cell::start;
  large(63, 63) = cell::goal;
  CHECK(solve(large)->count == std::numeric_limits<std::uint64_t>::max());
  CHECK(solve(large)->length() == 126);
}

namespace {

/// Simple paths from `here` to the goal, counted by length: plain recursion.
void walk(grid& g, int row, int column, std::size_t steps, std::vector<std::uint64_t>& paths) {
  if (row < 0 || column < 0 || row == g.side() || column == g.side() || g(row, column) == cell::wall) return;
  if (g(row, column) == cell::goal) {
    ++paths[steps];
    return;
  }
  const cell before = g(row, column);
  g(row, column) = cell::wall;
  walk(g, row - 1, column, steps + 1, paths);
  walk(g, row + 1, column, steps + 1, paths);
  walk(g, row, column - 1, steps + 1, paths);
  walk(g, row, column + 1, steps + 1, paths);
  g(row, column) = before;
}

}  // namespace

TEST_CASE("length and number agree with trying all paths") {
  int solvable = 0, several = 0;
  for (std::uint64_t number = 0; number < 300; ++number) {
    const trm::draws random = trm::philox{3}.at(trm::purpose::user, number);
    grid g(4);
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = random.below(10, i) < 3 ? cell::wall : cell::free;
    const std::size_t start = random.below(16, 20);
    g[start] = cell::start;
    g[(start + 1 + random.below(15, 21)) % 16] = cell::goal;
    std::vector<std::uint64_t> paths(17);
    grid walked = g;
    walk(walked, static_cast<int>(start) / 4, static_cast<int>(start) % 4, 0, paths);
    const auto shortest = std::ranges::find_if(paths, [](std::uint64_t n) { return n > 0; });
    const auto found = solve(g);
    REQUIRE(found.has_value() == (shortest != paths.end()));
    if (!found) continue;
    CHECK(found->length() == shortest - paths.begin());
    CHECK(found->count == *shortest);
    const grid answer = mark(g, *found);
    CHECK(check_answer(g, answer, answer).is_shortest);
    ++solvable;
    several += found->count > 1;
  }
  CHECK(solvable > 100);
  CHECK(several > 20);
}

TEST_CASE("an answer is judged: the maze kept, a path, a shortest one, the label") {
  const char* const question = "S   \n ## \n ## \n   G\n";
  const answer_check label = judged(question, "S   \no## \no## \noooG\n");
  CHECK((label.keeps_maze && label.is_path && label.is_shortest));
  const answer_check other = judged(question, "Sooo\n ##o\n ##o\n   G\n");
  CHECK((other.keeps_maze && other.is_path && other.is_shortest));
  CHECK(label.is_label != other.is_label);  // there are two shortest paths, one is the label

  CHECK(!judged(question, "Sooo\no##o\no##o\noooG\n").is_path);     // both ways
  CHECK(!judged(question, "Soo \n ##o\n ##o\n   G\n").is_path);     // a gap
  CHECK(!judged(question, "So  \n oo \n #oo\n   G\n").is_path);     // through walls
  CHECK(!judged(question, "Sooo\n ##o\n ##o\no  G\n").is_path);     // a cell beside
  CHECK(judged(question, "Sooo\n ##o\n ##o\n   #\n").is_path);      // it leads to the goal, but
  CHECK(!judged(question, "Sooo\n ##o\n ##o\n   #\n").keeps_maze);  // the goal is gone
  CHECK(!judged(question, "Sooo\n ##o\n # o\n   G\n").keeps_maze);  // a wall is gone
  CHECK(!judged(question, "Sooo\n ##o\n # o\n   G\n").is_label);
  CHECK(judged("S #\n   \nG #\n", "S #\no  \nG #\n").is_shortest);
  const answer_check detour = judged("S  \n # \n G \n", "Soo\n #o\n Go\n");
  CHECK((detour.keeps_maze && detour.is_path && !detour.is_shortest && !detour.is_label));
  CHECK(judged("SG\n##\n", "SG\n##\n").is_shortest);
}

TEST_CASE("a maze without one start and one goal is refused, any answer is not") {
  check_error([] { solve(parse("SS\nG \n", "m")); }, "maze: 2 cells are the start, expected one");
  check_error([] { solve(parse("S#\n  \n", "m")); }, "maze: 0 cells are the goal");
  const grid question = parse("S \n G\n", "m");
  check_error([&] { check_answer(question, question, grid(3)); }, "sides of 2, 2 and 3");
  for (std::uint64_t number = 0; number < 500; ++number) {
    grid answer(2);
    for (std::size_t i = 0; i < 4; ++i) {
      answer[i] = static_cast<cell>(trm::philox{1}.at(trm::purpose::user, number).below(6, i));
    }
    const answer_check check = check_answer(question, question, answer);
    CHECK(check.is_label == (answer == question));
    if (check.is_path) CHECK(std::ranges::count(answer.cells(), cell::path) == 1);
  }
}
