// SPDX-License-Identifier: MIT
#include "trm/data/maze/maze_set.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/data/group_sampler.hpp"

using namespace trm::maze;
using trm_test::check_error;

namespace {

const char* const table =
    "source,q,a,rating\n1,S # # # G,S # # # G,4\n2,S  # # #G,Soo#o#o#G,4\n3,G       S,Gooooo oS,4\n";

maze_set set_of(bool symmetries) {
  const trm_test::temporary_folder folder;
  trm_test::put(folder / "t.csv", table);
  return maze_set::read_csv(folder / "t.csv", symmetries);
}

grid row_of(const maze_set& set, std::int64_t row, bool label) {
  std::vector<std::int32_t> inputs(9), labels(9);
  set.read(row, inputs.data(), labels.data());
  return decode<std::int32_t>(label ? labels : inputs);
}

}  // namespace

TEST_CASE("without symmetries a maze is a group of one row") {
  const maze_set set = set_of(false);
  CHECK(set.rows() == 3);
  CHECK(set.puzzles() == 3);
  CHECK(set.groups() == 3);
  CHECK(set.side() == 3);
  CHECK(to_line(row_of(set, 1, false)) == "S  # # #G");
  CHECK(to_line(row_of(set, 1, true)) == "Soo#o#o#G");
  CHECK(set.question(2) == row_of(set, 2, false));
  CHECK(set.answer(2) == row_of(set, 2, true));
  const trm::dataset_metadata m = set.metadata();
  CHECK(m.seq_len == 9);
  CHECK(m.vocab_size == 6);
  CHECK(m.total_groups == 3);
}

TEST_CASE("with symmetries row 8 m + t is maze m under transform t, question and answer alike") {
  const maze_set plain = set_of(false), set = set_of(true);
  CHECK(set.rows() == 24);
  CHECK(set.groups() == 3);
  for (std::int64_t row = 23; row >= 0; --row) {
    CHECK(row_of(set, row, false) == dihedral(plain.question(row / 8), static_cast<int>(row % 8)));
    CHECK(row_of(set, row, true) == dihedral(plain.answer(row / 8), static_cast<int>(row % 8)));
    CHECK(set.rows_of(row).first == row);
    CHECK(set.rows_of(row).size() == 1);
  }
  CHECK(set.puzzles_of(2).first == 16);
  CHECK(set.puzzles_of(2).size() == 8);
}

TEST_CASE("a selection has the mazes of these numbers in this order") {
  const maze_set set = set_of(true), chosen = set.select(std::array<std::int64_t, 2>{2, 0});
  CHECK(chosen.groups() == 2);
  CHECK(chosen.rows() == 16);
  CHECK(row_of(chosen, 3, true) == row_of(set, 19, true));
  CHECK(row_of(chosen, 8, false) == row_of(set, 0, false));
  check_error([&] { set.select(std::array<std::int64_t, 1>{3}); }, "no maze 3");
}

TEST_CASE("a sampler draws one symmetry of each maze") {
  const maze_set set = set_of(true);
  trm::group_sampler<maze_set> sampler(std::span(&set, 1), 9, {.seed = 1, .batch = 3});
  trm::batch_memory memory(3, 9);
  sampler.next(memory.view());
  int found = 0;
  const trm::batch_view batch = memory.view();
  for (std::size_t b = 0; b < 3; ++b) {
    const grid question = decode<std::int32_t>(std::span<const std::int32_t>(batch.inputs).subspan(9 * b, 9));
    for (std::int64_t row = 0; row < set.rows(); ++row) {
      if (row_of(set, row, false) != question) continue;
      ++found;
      break;
    }
    CHECK(batch.puzzle_identifiers[b] == 0);
  }
  CHECK(found == 3);
}

TEST_CASE("nothing and mazes of different sides are refused") {
  const trm_test::temporary_folder folder;
  trm_test::put(folder / "t.csv", "source,q,a,rating\n");
  check_error([&] { maze_set::read_csv(folder / "t.csv"); }, "t.csv: no mazes behind the header");
  maze_set set;
  set.add(grid(3), grid(3));
  check_error([&] { set.add(grid(4), grid(4)); }, "mazes of different sides");
  check_error([&] { set.add(grid(3), grid(4)); }, "mazes of different sides");
}
