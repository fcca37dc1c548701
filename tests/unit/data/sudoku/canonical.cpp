// SPDX-License-Identifier: MIT
#include "trm/data/sudoku/canonical.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "support/throws.hpp"
#include "trm/data/sudoku/random_solution.hpp"
#include "trm/data/sudoku/symmetry.hpp"
#include "trm/data/sudoku/text.hpp"

using namespace trm::sudoku;

TEST_CASE("the orders of the groups") {
  CHECK(symmetries(4) == 24 * 128);
  CHECK(symmetries(6) == std::int64_t{720} * 6 * 8 * 2 * 36);
  CHECK(symmetries(9) == std::int64_t{362880} * 3359232);
}

TEST_CASE("equivalent solutions have the same canonical form, which is one of them") {
  for (const int size : {4, 6, 9}) {
    CAPTURE(size);
    std::set<std::string> forms;
    for (std::uint64_t i = 0; i < 30; ++i) {
      draw_stream random(trm::philox{1}.at(trm::purpose::user, i));
      const board solution = random_solution(size, random);
      const canonical_form form = canonical(solution);
      CHECK(is_solved(form.cells));
      CHECK(to_line(form.cells) <= to_line(solution));
      for (int j = 0; j < 3; ++j) {
        const canonical_form other = canonical(random.draw_symmetry(size)(solution));
        CHECK(other.cells == form.cells);
        CHECK(other.automorphisms == form.automorphisms);
      }
      forms.insert(to_line(form.cells));
    }
    CHECK(forms.size() >= (size == 4 ? 2 : size == 6 ? 10 : 30));
  }
}

TEST_CASE("the canonical form is the first of the whole orbit, and automorphisms are counted: 4 x 4 in full") {
  std::map<std::string, std::set<std::string>> orbits;
  for (const auto& cells : detail::normal_solutions<detail::layout<4>>()) {
    const board solution{std::span<const std::uint8_t>(cells)};
    const canonical_form form = canonical(solution);
    auto& orbit = orbits[to_line(form.cells)];
    for (std::uint64_t i = 0; i < 3000; ++i) {
      orbit.insert(to_line(random_symmetry(4, trm::philox{2}.at(trm::purpose::user, i))(solution)));
    }
    CHECK(*orbit.begin() == to_line(form.cells));
    CHECK(symmetries(4) / form.automorphisms == static_cast<std::int64_t>(orbit.size()));
  }
  CHECK(orbits.size() == 2);
}

TEST_CASE("6 x 6 has 49 classes, and their orbits are all 28200960 boards") {
  std::map<std::string, int> classes;
  for (const auto& cells : detail::normal_solutions<detail::layout<6>>()) {
    const canonical_form form = canonical(board(std::span<const std::uint8_t>(cells)));
    classes.emplace(to_line(form.cells), form.automorphisms);
  }
  CHECK(classes.size() == 49);
  std::int64_t boards = 0;
  for (const auto& [line, automorphisms] : classes) {
    CHECK(symmetries(6) % automorphisms == 0);
    boards += symmetries(6) / automorphisms;
  }
  CHECK(boards == 28200960);
}

TEST_CASE("the 9 x 9 board with the most automorphisms") {
  // Known to have 648 of them, the relabellings counted in.
  const board most = parse_puzzle("123456789456789123789123456231564897564897231897231564312645978645978312978312645");
  CHECK(canonical(most).automorphisms == 648);
}

TEST_CASE("only solved boards have a canonical form") {
  trm_test::check_error([] { canonical(board(9)); }, "not solved");
}
