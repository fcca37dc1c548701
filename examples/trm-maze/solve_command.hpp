// SPDX-License-Identifier: MIT
// trm-maze solve.
#pragma once
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "../program/solving.hpp"
#include "trm/data/maze/grid.hpp"
#include "trm/data/maze/render.hpp"
#include "trm/data/maze/solver.hpp"
#include "trm/io/file.hpp"

namespace trm_maze {

/// A maze and what is said of an answer to it.
class maze_question final : public program::question {
 public:
  maze_question(std::string place, const trm::maze::grid& maze)
      : place_(std::move(place)), maze_(maze), before_(maze), now_(maze) {}

  std::string place() const override { return place_; }
  std::string text() const override { return trm::maze::to_line(maze_); }
  std::vector<int> tokens() const override {
    std::vector<int> tokens(maze_.size());
    trm::maze::encode(maze_, std::span(tokens));
    return tokens;
  }
  void check() const override {
    if (shortest() == 0) throw trm::error(place_, "no path leads from start to goal");
  }
  std::string beginning() const override {
    return fmt::format("maze {0} x {0}, shortest path {1} steps\n{2}", maze_.side(), shortest(),
                       draw_step(maze_, maze_, program::shows_colours()));
  }

  void take(const program::solving_step& s) override {
    before_ = now_;
    now_ = trm::maze::decode(std::span<const int>(s.answer));
    check_ = trm::maze::check_answer(maze_, now_, now_);
  }
  bool solved() const override { return check_.keeps_maze && check_.is_shortest; }
  std::string answer() const override { return trm::maze::to_line(now_); }
  std::string plain() const override { return trm::maze::to_text(now_); }
  std::string progress() const override {
    using trm::maze::cell;
    int changed = 0, altered = 0;  // altered: beyond what a path may be
    for (std::size_t i = 0; i < now_.size(); ++i) {
      changed += now_[i] != before_[i];
      altered += now_[i] != maze_[i] && !(maze_[i] == cell::free && now_[i] == cell::path);
    }
    return fmt::format("{} changed, {}",
                       changed == 0 ? "nothing" : fmt::format("{} cell{}", changed, changed == 1 ? "" : "s"),
                       altered > 0           ? fmt::format("{} cells of the maze altered", altered)
                       : !check_.is_path     ? "no path yet"
                       : !check_.is_shortest ? "a path"
                                             : "a shortest path");
  }
  std::string drawing() const override {
    return now_ == before_ ? std::string() : draw_step(now_, before_, program::shows_colours());
  }

 private:
  /// Steps of a shortest path; 0: there is none. Refuses what is no maze.
  int shortest() const {
    try {
      const auto path = trm::maze::solve(maze_);
      return path ? static_cast<int>(path->length()) : 0;
    } catch (const trm::error& e) {
      throw trm::error(place_, e.what());
    }
  }
  /// In plain text a cell that joined the path is *, one that left it is -, any other change is !.
  static std::string draw_step(const trm::maze::grid& now, const trm::maze::grid& before, bool colour) {
    if (colour) return trm::maze::to_ansi(now, before);
    std::string text = trm::maze::to_text(now);
    const auto width = static_cast<std::size_t>(now.side()) + 1;
    for (std::size_t i = 0; i < now.size(); ++i) {
      using trm::maze::cell;
      if (now[i] == before[i]) continue;
      char& shown = text[i / (width - 1) * width + i % (width - 1)];
      if (now[i] == cell::path && before[i] == cell::free) shown = '*';
      if (now[i] == cell::free && before[i] == cell::path) shown = '-';
      if (shown != '*' && shown != '-') shown = '!';
    }
    return text;
  }

  std::string place_;
  trm::maze::grid maze_, before_, now_;
  trm::maze::answer_check check_;
};

class solve_command {
 public:
  explicit solve_command(program::application& app) {
    CLI::App& c = app.command("solve", "Answer a maze and show how the answer improves over the supervision steps",
                              "trm-maze generate --side 10 --min-path 12 | trm-maze solve --checkpoint "
                              "runs/maze/checkpoints/step_5000 -",
                              [this] { run(); });
    c.add_option(
         "maze", mazes_,
         "File of mazes, lines of \"# SG\" (wall, free, start, goal) with an empty line between two; or a maze in "
         "one line of all its rows; or - for standard input")
        ->required();
    program::add_solve_options(c, o_);
  }

 private:
  static constexpr std::size_t most_text = std::size_t{1} << 26;

  /// The mazes of a text, between which empty lines stand.
  static void split(std::string_view text, const std::string& place, program::questions& to) {
    std::vector<std::string> blocks(1);
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.empty() || line == "\r") {
        if (!blocks.back().empty()) blocks.emplace_back();
      } else {
        blocks.back().append(line).push_back('\n');
      }
    }
    if (blocks.size() > 1 && blocks.back().empty()) blocks.pop_back();
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const std::string here = blocks.size() == 1 ? place : fmt::format("{}: maze {}", place, i + 1);
      to.push_back(std::make_unique<maze_question>(here, trm::maze::parse(blocks[i], here)));
    }
  }
  static void read(const std::string& text, program::questions& to) {
    if (text == "-") return split(trm::read_file("/dev/stdin", most_text), "standard input", to);
    std::error_code ignored;
    if (text.find_first_not_of("# SGo") == text.npos && !std::filesystem::exists(text, ignored)) {
      to.push_back(std::make_unique<maze_question>("maze", trm::maze::parse_line(text, "maze")));
    } else {
      split(trm::read_file(text, most_text), text, to);
    }
  }

  void run() const {
    program::questions all;
    for (const std::string& text : mazes_) read(text, all);
    program::answer_all(all, "maze", o_);
  }

  program::solve_options o_;
  std::vector<std::string> mazes_;
};

}  // namespace trm_maze
