// SPDX-License-Identifier: MIT
// Sudoku puzzles as text and as tables: every input is read as each.
#include "fuzz.hpp"
#include "trm/data/sudoku/csv.hpp"
#include "trm/data/sudoku/text.hpp"

namespace {

void check(const trm::sudoku::board& b) {
  trm_fuzz::require(b.size() == 4 || b.size() == 6 || b.size() == 9, "a board of another size");
  for (int i = 0; i < b.cells(); ++i) trm_fuzz::require(b[i] <= b.size(), "a digit beyond the size");
  trm_fuzz::require(trm::sudoku::parse_puzzle(trm::sudoku::to_line(b)) == b, "the line of a board is another board");
  trm_fuzz::require(trm::sudoku::parse_puzzle(trm::sudoku::draw(b)) == b, "the drawing of a board is another board");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = trm_fuzz::text_of(data, size);
  trm_fuzz::attempt([&] { check(trm::sudoku::parse_puzzle(text)); });
  trm_fuzz::attempt([&] {
    for (const trm::sudoku::board& b : trm::sudoku::parse_puzzles(text)) check(b);
  });
  trm_fuzz::attempt([&] {
    trm::sudoku::puzzle_reader table(text, "table.csv");
    while (table.next()) {
      check(table.current().question);
      check(table.current().solution);
    }
  });
  return 0;
}
