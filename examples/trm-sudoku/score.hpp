// SPDX-License-Identifier: MIT
// What trm-sudoku measures besides the metrics of all tasks: answers beyond naked singles, valid boards, by search effort.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <fmt/core.h>

#include "../program/metrics.hpp"
#include "trm/data/sudoku/board.hpp"
#include "trm/data/sudoku/solver.hpp"

namespace trm_sudoku {

/// The board that tokens say; what is malformed is empty.
inline trm::sudoku::board board_of(std::span<const int> tokens) { return trm::sudoku::decode(tokens).cells; }

/// Shares of an evaluation's puzzles that were answered with a valid solution.
class score final : public program::scorer {
 public:
  void begin() override { *this = score(); }
  void add(const trm::batch&, const trm::sequential_part& part, const program::any_solver& s) override {
    const trm::samples& state = s.samples();
    const auto n = static_cast<std::size_t>(state.tokens);
    const std::span<const int> inputs(state.inputs), answers(state.predictions);
    for (std::size_t i = 0; i < static_cast<std::size_t>(part.rows); ++i) {
      add(board_of(inputs.subspan(i * n, n)), board_of(answers.subspan(i * n, n)));
    }
  }
  void report(trm::json& result) override {
    const auto share = [](const tally& t) { return t.puzzles == 0 ? trm::json() : trm::json(t.solved / t.puzzles); };
    result["sudoku/solved"] = share(all_);
    result["sudoku/solvable by naked singles"] = all_.puzzles == 0 ? trm::json() : trm::json(easy_ / all_.puzzles);
    result["sudoku/solved beyond naked singles"] = share(beyond_);
    for (std::size_t i = 0; i < bands.size(); ++i) {
      if (by_effort_[i].puzzles == 0) continue;
      const std::string name = fmt::format("sudoku/rating {}", bands[i].name);
      result[name + " puzzles"] = by_effort_[i].puzzles;
      result[name + " solved"] = share(by_effort_[i]);
    }
  }

 private:
  struct tally {
    double puzzles = 0, solved = 0;
  };
  struct band {
    std::int64_t most;
    const char* name;
  };
  static constexpr std::array<band, 5> bands{{{0, "0"}, {3, "1-3"}, {15, "4-15"}, {63, "16-63"}, {1 << 30, "64-"}}};

  void add(const trm::sudoku::board& puzzle, const trm::sudoku::board& answer) {
    const bool solved = trm::sudoku::is_solved(answer) && trm::sudoku::extends(answer, puzzle);
    const auto count = [&](tally& t) { t.puzzles += 1, t.solved += solved; };
    count(all_);
    if (trm::sudoku::solve_by_naked_singles(puzzle).solved) {
      easy_ += 1;
    } else {
      count(beyond_);
    }
    const std::int64_t effort = static_cast<std::int64_t>(trm::sudoku::rating(puzzle));
    std::size_t i = 0;
    while (effort > bands[i].most) ++i;
    count(by_effort_[i]);
  }

  tally all_, beyond_;
  double easy_ = 0;
  std::array<tally, bands.size()> by_effort_{};
};

}  // namespace trm_sudoku
