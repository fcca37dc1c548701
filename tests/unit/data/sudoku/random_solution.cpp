// SPDX-License-Identifier: MIT
#include "trm/data/sudoku/random_solution.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "trm/data/sudoku/text.hpp"

using namespace trm::sudoku;

TEST_CASE("solved, and a function of the draws") {
  for (const int size : {4, 6, 9}) {
    std::map<std::string, int> seen;
    for (std::uint64_t i = 0; i < 100; ++i) {
      draw_stream random(trm::philox{1}.at(trm::purpose::user, i)), again(trm::philox{1}.at(trm::purpose::user, i));
      const board b = random_solution(size, random);
      CHECK(is_solved(b));
      CHECK(random_solution(size, again) == b);
      ++seen[to_line(b)];
    }
    CHECK(seen.size() > (size == 4 ? 70 : 98));
  }
}

TEST_CASE("each of the 288 boards of 4 x 4 has the same probability") {
  std::map<std::string, int> seen;
  constexpr int per_board = 100;
  for (std::uint64_t i = 0; i < 288 * per_board; ++i) {
    draw_stream random(trm::philox{2}.at(trm::purpose::user, i));
    ++seen[to_line(random_solution(4, random))];
  }
  CHECK(seen.size() == 288);
  double chi_square = 0;  // 287 degrees of freedom: mean 287, standard deviation 24
  for (const auto& [line, count] : seen) chi_square += (count - per_board) * (count - per_board) / double{per_board};
  CHECK(chi_square < 287 + 5 * 24);
}

TEST_CASE("every digit is equally likely in every cell of 9 x 9") {
  constexpr int boards = 1800;
  std::map<int, int> seen;
  for (std::uint64_t i = 0; i < boards; ++i) {
    draw_stream random(trm::philox{3}.at(trm::purpose::user, i));
    const board b = random_solution(9, random);
    for (const int cell : {0, 40, 80}) ++seen[cell * 10 + b[cell]];
  }
  CHECK(seen.size() == 27);
  for (const auto& [what, count] : seen) CHECK(count == doctest::Approx(boards / 9).epsilon(0.35));  // 5 deviations
}
