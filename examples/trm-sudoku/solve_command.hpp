// SPDX-License-Identifier: MIT
// trm-sudoku solve.
#pragma once
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "../program/solving.hpp"
#include "score.hpp"
#include "step_drawing.hpp"
#include "trm/data/sudoku/text.hpp"
#include "trm/io/file.hpp"

namespace trm_sudoku {

/// A board and what is said of an answer to it.
class puzzle_question final : public program::question {
 public:
  explicit puzzle_question(const trm::sudoku::board& puzzle) : puzzle_(puzzle), before_(puzzle), now_(puzzle) {}

  std::string place() const override { return "puzzle " + text(); }
  std::string text() const override { return trm::sudoku::to_line(puzzle_); }
  std::vector<int> tokens() const override {
    std::vector<int> tokens(static_cast<std::size_t>(puzzle_.cells()));
    trm::sudoku::encode(puzzle_, std::span(tokens));
    return tokens;
  }
  void check() const override {
    if (!trm::sudoku::is_consistent(puzzle_)) throw trm::error(place(), "has a digit twice in a row, column or box");
  }
  std::string beginning() const override {
    return fmt::format("puzzle {}, {} clues\n{}", text(), trm::sudoku::clues(puzzle_),
                       draw_step(puzzle_, puzzle_, puzzle_, program::shows_colours()));
  }

  void take(const program::solving_step& s) override {
    step_ = s.number;
    before_ = now_;
    now_ = board_of(s.answer);
  }
  bool solved() const override { return trm::sudoku::is_solved(now_) && trm::sudoku::extends(now_, puzzle_); }
  std::string answer() const override { return trm::sudoku::to_line(now_); }
  std::string progress() const override {
    const int n = changed();
    const auto wrong = std::ranges::count(conflicts(now_, puzzle_), true);
    return fmt::format("{} {}, {}", n == 0 ? "nothing" : fmt::format("{} cell{}", n, n == 1 ? "" : "s"),
                       step_ == 1 ? "filled" : "changed",
                       solved()     ? "a valid solution"
                       : wrong == 0 ? "no conflict"
                                    : fmt::format("{} digits in conflict", wrong));
  }
  std::string drawing() const override {
    if (changed() == 0) return {};
    return draw_step(now_, step_ == 1 ? now_ : before_, puzzle_, program::shows_colours());
  }
  std::string closing() const override { return ": " + answer(); }

 private:
  int changed() const {
    int n = 0;
    for (int i = 0; i < now_.cells(); ++i) n += now_[i] != before_[i];
    return n;
  }

  trm::sudoku::board puzzle_, before_, now_;
  int step_ = 0;
};

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

  void run() const {
    program::questions all;
    for (const std::string& text : puzzles_) {
      for (const trm::sudoku::board& b : read(text)) all.push_back(std::make_unique<puzzle_question>(b));
    }
    program::answer_all(all, "puzzle", o_);
  }

  static constexpr std::size_t most_text = std::size_t{1} << 26;
  program::solve_options o_;
  std::vector<std::string> puzzles_;
};

}  // namespace trm_sudoku
