// SPDX-License-Identifier: MIT
// trm-sudoku solve.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "../program/solving.hpp"
#include "score.hpp"
#include "step_drawing.hpp"
#include "trm/data/sudoku/text.hpp"
#include "trm/io/file.hpp"

namespace trm_sudoku {

class solve_command {
 public:
  explicit solve_command(program::application& app) {
    CLI::App& c = app.command("solve", "Answer puzzles and show how the answer improves over the supervision steps",
                              "trm-sudoku solve --checkpoint runs/six/checkpoints/step_7000 "
                              "\"2...6. .4...1 ..5... ...3.. 1...2. .6...4\"\n"
                              "  trm-sudoku generate --size 6 --count 3 | trm-sudoku solve --checkpoint "
                              "runs/six/checkpoints/step_7000 -",
                              [this] { run(); });
    c.add_option(
         "puzzle", puzzles_,
         "Puzzle: 16, 36 or 81 cells, digits and . for an empty one; or a file of puzzles; or - for standard input")
        ->required();
    program::add_solve_options(c, o_);
  }

 private:
  static std::vector<trm::sudoku::board> read(const std::string& text) {
    using trm::sudoku::parse_puzzles;
    if (text == "-") {
      return parse_puzzles(trm::read_file("/dev/stdin", most_text), "standard input");
    }
    std::error_code ignored;
    const auto type = std::filesystem::status(text, ignored).type();
    const bool file = type != std::filesystem::file_type::not_found && type != std::filesystem::file_type::none &&
                      type != std::filesystem::file_type::directory;
    if (file) return parse_puzzles(trm::read_file(text, most_text), text);
    const std::string place = "puzzle \"" + trm::detail::printable(text, 90) + '"';
    if (trm::sudoku::detail::cells_of(text) == 0) {
      throw trm::error(place, "neither a puzzle (digits, and . for an empty cell) nor a file");
    }
    return {trm::sudoku::parse_puzzle(text, place)};
  }

  void run() {
    std::vector<trm::sudoku::board> all;
    for (const std::string& text : puzzles_) {
      for (const trm::sudoku::board& b : read(text)) all.push_back(b);
    }
    const int cells = all.empty() ? 0 : all.front().cells();
    const auto model = program::preset_list().of_checkpoint(o_.checkpoint, o_.preset, cells).make();
    for (const trm::sudoku::board& b : all) {
      if (b.cells() != model->description().tokens) {
        throw trm::error("puzzle " + trm::sudoku::to_line(b),
                         fmt::format("has {} cells, the model of {} is for {}", b.cells(), o_.checkpoint.string(),
                                     model->description().tokens));
      }
      if (!trm::sudoku::is_consistent(b)) {
        throw trm::error("puzzle " + trm::sudoku::to_line(b), "has a digit twice in a row, column or box");
      }
    }
    const auto solver = model->solver(o_.checkpoint, 1, o_.threads);
    std::size_t solved = 0;
    for (const trm::sudoku::board& b : all) {
      program::stop_if_interrupted();
      solved += answer(*solver, b);
    }
    if (solved < all.size()) {
      throw trm::error("solve", all.size() == 1
                                    ? "not solved"
                                    : fmt::format("{} of {} puzzles not solved", all.size() - solved, all.size()));
    }
  }

  bool answer(program::any_solver& solver, const trm::sudoku::board& puzzle) const {
    std::vector<int> tokens(static_cast<std::size_t>(puzzle.cells()));
    trm::sudoku::encode(puzzle, std::span(tokens));
    const bool drawn = !o_.json && !o_.quiet;
    trm::sudoku::board before = puzzle;
    trm::json steps = trm::json::array();
    const auto right = [&](const trm::sudoku::board& b) {
      return trm::sudoku::is_solved(b) && trm::sudoku::extends(b, puzzle);
    };
    if (drawn) {
      fmt::print("puzzle {}, {} clues\n{}", trm::sudoku::to_line(puzzle), trm::sudoku::clues(puzzle),
                 draw_step(puzzle, puzzle, puzzle, program::shows_colours()));
    }
    const auto last = program::solve(solver, tokens, o_, [&](const program::solving_step& s) {
      const trm::sudoku::board now = board_of(s.answer);
      if (o_.json) steps.push_back({{"answer", trm::sudoku::to_line(now)}, {"halting_confidence", s.confidence}});
      if (drawn) print_step(s, now, before, puzzle, right(now));
      before = now;
    });
    const trm::sudoku::board found = board_of(last.answer);
    if (o_.json) {
      fmt::print("{}\n", trm::json({{"puzzle", trm::sudoku::to_line(puzzle)},
                                    {"answer", trm::sudoku::to_line(found)},
                                    {"solved", right(found)},
                                    {"supervision_steps", last.number},
                                    {"steps", steps}})
                             .dump());
    } else if (o_.quiet) {
      fmt::print("{}\n", trm::sudoku::to_line(found));
    } else {
      fmt::print("{} after {} supervision step{}: {}\n\n", right(found) ? "solved" : "not solved", last.number,
                 last.number == 1 ? "" : "s", trm::sudoku::to_line(found));
    }
    return right(found);
  }
  static void print_step(const program::solving_step& s, const trm::sudoku::board& now,
                         const trm::sudoku::board& before, const trm::sudoku::board& puzzle, bool right) {
    int changed = 0;
    for (int i = 0; i < now.cells(); ++i) changed += now[i] != before[i];
    const auto bad = conflicts(now, puzzle);
    const auto wrong = std::ranges::count(bad, true);
    fmt::print("step {}: {} {}, {}, halting confidence {:.1f} %\n", s.number,
               changed == 0 ? "nothing" : fmt::format("{} cell{}", changed, changed == 1 ? "" : "s"),
               s.number == 1 ? "filled" : "changed",
               right        ? "a valid solution"
               : wrong == 0 ? "no conflict"
                            : fmt::format("{} digits in conflict", wrong),
               100 * s.confidence);
    if (changed > 0) fmt::print("{}", draw_step(now, s.number == 1 ? now : before, puzzle, program::shows_colours()));
    std::fflush(stdout);
  }

  static constexpr std::size_t most_text = std::size_t{1} << 26;
  program::solve_options o_;
  std::vector<std::string> puzzles_;
};

}  // namespace trm_sudoku
