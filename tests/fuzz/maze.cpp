// SPDX-License-Identifier: MIT
// Mazes as text and as tables: every input is read as each.
#include "fuzz.hpp"
#include "trm/data/maze/csv.hpp"
#include "trm/data/maze/solver.hpp"

namespace {

void check(const trm::maze::grid& g) {
  trm_fuzz::require(g.side() >= 1 && g.side() <= trm::maze::max_side, "a maze of another size");
  for (const trm::maze::cell c : g.cells()) trm_fuzz::require(c != trm::maze::cell::unknown, "a cell that is none");
  trm_fuzz::require(trm::maze::parse_line(trm::maze::to_line(g), "again") == g, "the line of a maze is another maze");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = trm_fuzz::text_of(data, size);
  trm_fuzz::attempt([&] {
    const trm::maze::grid g = trm::maze::parse(text, "maze.txt");
    check(g);
    trm_fuzz::attempt([&] { trm::maze::solve(g); });
  });
  trm_fuzz::attempt([&] {
    trm::maze::csv_rows table(text, "table.csv");
    while (table.next()) {
      check(table.row().question);
      check(table.row().answer);
      trm_fuzz::require(table.row().question.side() == table.row().answer.side(), "two sides in one row");
    }
  });
  return 0;
}
