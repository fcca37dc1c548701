// SPDX-License-Identifier: MIT
#include "trm/data/sudoku/puzzle_source.hpp"

#include <doctest/doctest.h>

#include <set>
#include <span>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/data/group_sampler.hpp"
#include "trm/data/sequential_reader.hpp"
#include "trm/data/sudoku/generator.hpp"
#include "trm/data/sudoku/text.hpp"

using namespace trm::sudoku;
using trm_test::check_error;

namespace {

puzzle_source made(int size, int puzzles, std::int64_t augmentations) {
  puzzle_source source(size, augmentations, 5);
  const generator make({.size = size});
  for (int i = 0; i < puzzles; ++i) {
    const puzzle p = make(static_cast<std::uint64_t>(i));
    source.add(p.question, p.solution);
  }
  return source;
}

struct example {
  board question, solution;
};
example read(const puzzle_source& source, std::int64_t row) {
  std::vector<std::int32_t> inputs(81), labels(81);
  source.read(row, inputs.data(), labels.data());
  const auto n = static_cast<std::size_t>(source.size() * source.size());
  const auto q = decode(std::span<const std::int32_t>(inputs).first(n));
  const auto a = decode(std::span<const std::int32_t>(labels).first(n));
  CHECK(q.malformed.empty());
  CHECK(a.malformed.empty());
  return {q.cells, a.cells};
}

}  // namespace

TEST_CASE("version 0 is the puzzle, the others are puzzles symmetric to it") {
  for (const int size : {4, 6, 9}) {
    const puzzle_source source = made(size, 3, 20);
    CHECK(source.groups() == 3);
    CHECK(source.rows() == 63);
    for (std::int64_t group = 0; group < 3; ++group) {
      std::set<std::string> versions;
      const trm::index_range range = source.puzzles_of(group);
      CHECK(range.size() == 21);
      CHECK(read(source, range.first).question == source.question(group));
      CHECK(read(source, range.first).solution == source.solution(group));
      for (std::int64_t row = range.first; row < range.last; ++row) {
        const example e = read(source, row);
        CHECK(is_solved(e.solution));
        CHECK(extends(e.solution, e.question));
        CHECK(clues(e.question) == clues(source.question(group)));
        CHECK(read(source, row).question == e.question);
        versions.insert(to_line(e.question));
      }
      CHECK(versions.size() > 15);
    }
  }
}

TEST_CASE("a sampler takes one version of each puzzle an epoch") {
  const std::vector<puzzle_source> sources{made(4, 6, 1000)};
  trm::group_sampler<puzzle_source> sampler(sources, 16, {.seed = 1, .batch = 3});
  std::vector<std::int32_t> inputs(48), labels(48), identifiers(3);
  std::set<std::vector<std::int32_t>> seen;
  for (int step = 0; step < 20; ++step) {
    sampler.next({inputs, labels, identifiers});
    CHECK(identifiers == std::vector<std::int32_t>(3));
    seen.insert(inputs);
  }
  CHECK(seen.size() == 20);
}

TEST_CASE("a reader goes through the puzzles in their order") {
  const std::vector<puzzle_source> sources{made(4, 5, 0)};
  trm::sequential_reader<puzzle_source> reader(sources, sources[0].metadata(), 3);
  std::vector<std::int32_t> inputs(48), labels(48), identifiers(3);
  trm::sequential_part part;
  REQUIRE(reader.next({inputs, labels, identifiers}, part));
  REQUIRE(reader.next({inputs, labels, identifiers}, part));
  CHECK(part.rows == 2);
  CHECK(decode(std::span<const std::int32_t>(inputs).subspan(16, 16)).cells == sources[0].question(4));
  CHECK(inputs[32] == 0);
  CHECK_FALSE(reader.next({inputs, labels, identifiers}, part));
}

TEST_CASE("from a table, with a least rating") {
  const trm_test::temporary_folder folder;
  trm_test::put(folder / "t.csv",
                "source,q,a,rating\na,1..............1,1234341221434321,0\nb,.2.............1,1234341221434321,5\n");
  CHECK(read_puzzle_source(folder / "t.csv").groups() == 2);
  const puzzle_source hard = read_puzzle_source(folder / "t.csv", 10, 0, 1);
  CHECK(hard.groups() == 1);
  CHECK(hard.puzzles() == 11);
  CHECK(to_line(hard.question(0)) == ".2.............1");
  CHECK(hard.metadata().vocab_size == 6);
  CHECK(hard.metadata().seq_len == 16);
  check_error([&] { read_puzzle_source(folder / "t.csv", 0, 0, 6); }, "no puzzle with a rating of at least 6");
  check_error([] { puzzle_source(9).add(board(6), board(6)); }, "another size");
  check_error([] { puzzle_source(9, -1); }, "augmentations");
}
