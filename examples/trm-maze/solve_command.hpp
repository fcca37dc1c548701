// SPDX-License-Identifier: MIT
// trm-maze solve.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "../program/solving.hpp"
#include "trm/data/maze/grid.hpp"
#include "trm/data/maze/render.hpp"
#include "trm/data/maze/solver.hpp"
#include "trm/io/file.hpp"

namespace trm_maze {

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
  struct question {
    std::string place;
    trm::maze::grid maze;
  };
  static constexpr std::size_t most_text = std::size_t{1} << 26;

  /// The mazes of a text, between which empty lines stand.
  static void split(std::string_view text, const std::string& place, std::vector<question>& to) {
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
      to.push_back({here, trm::maze::parse(blocks[i], here)});
    }
  }
  static void read(const std::string& text, std::vector<question>& to) {
    if (text == "-") return split(trm::read_file("/dev/stdin", most_text), "standard input", to);
    std::error_code ignored;
    if (text.find_first_not_of("# SGo") == text.npos && !std::filesystem::exists(text, ignored)) {
      to.push_back({"maze", trm::maze::parse_line(text, "maze")});
    } else {
      split(trm::read_file(text, most_text), text, to);
    }
  }

  void run() const {
    std::vector<question> all;
    for (const std::string& text : mazes_) read(text, all);
    const int cells = all.empty() ? 0 : static_cast<int>(all.front().maze.size());
    const auto model = program::preset_list().of_checkpoint(o_.checkpoint, o_.preset, cells).make();
    for (const question& q : all) {
      if (static_cast<int>(q.maze.size()) != model->description().tokens) {
        throw trm::error(q.place, fmt::format("has {} cells, the model of {} is for {}", q.maze.size(),
                                              o_.checkpoint.string(), model->description().tokens));
      }
      if (shortest(q) == 0) throw trm::error(q.place, "no path leads from start to goal");
    }
    const auto solver = model->solver(o_.checkpoint, 1, o_.threads);
    std::size_t solved = 0;
    for (const question& q : all) {
      program::stop_if_interrupted();
      solved += answer(*solver, q);
    }
    if (solved < all.size()) {
      throw trm::error("solve", all.size() == 1
                                    ? "not solved"
                                    : fmt::format("{} of {} mazes not solved", all.size() - solved, all.size()));
    }
  }

  /// Steps of a shortest path; 0: there is none. Refuses what is no maze.
  static int shortest(const question& q) {
    try {
      const auto path = trm::maze::solve(q.maze);
      return path ? static_cast<int>(path->length()) : 0;
    } catch (const trm::error& e) {
      throw trm::error(q.place, e.what());
    }
  }

  bool answer(program::any_solver& solver, const question& q) const {
    const trm::maze::grid& maze = q.maze;
    std::vector<int> tokens(maze.size());
    trm::maze::encode(maze, std::span(tokens));
    const bool drawn = !o_.json && !o_.quiet;
    trm::json steps = trm::json::array();
    trm::maze::grid before = maze;
    trm::maze::answer_check check;
    if (drawn) {
      fmt::print("maze {0} x {0}, shortest path {1} steps\n{2}", maze.side(), shortest(q),
                 draw_step(maze, maze, program::shows_colours()));
    }
    const auto last = program::solve(solver, tokens, o_, [&](const program::solving_step& s) {
      const trm::maze::grid now = trm::maze::decode(std::span<const int>(s.answer));
      check = trm::maze::check_answer(maze, now, now);
      if (o_.json) steps.push_back({{"answer", trm::maze::to_line(now)}, {"halting_confidence", s.confidence}});
      if (drawn) print_step(s, maze, now, before, check);
      before = now;
    });
    const bool solved = check.keeps_maze && check.is_shortest;
    if (o_.json) {
      fmt::print("{}\n", trm::json({{"maze", trm::maze::to_line(maze)},
                                    {"answer", trm::maze::to_line(before)},
                                    {"solved", solved},
                                    {"supervision_steps", last.number},
                                    {"steps", steps}})
                             .dump());
    } else if (o_.quiet) {
      fmt::print("{}\n", trm::maze::to_text(before));
    } else {
      fmt::print("{} after {} supervision step{}\n\n", solved ? "solved" : "not solved", last.number,
                 last.number == 1 ? "" : "s");
    }
    return solved;
  }
  static void print_step(const program::solving_step& s, const trm::maze::grid& maze, const trm::maze::grid& now,
                         const trm::maze::grid& before, const trm::maze::answer_check& check) {
    int changed = 0;
    int altered = 0;  // beyond what a path may be
    for (std::size_t i = 0; i < now.size(); ++i) {
      using trm::maze::cell;
      changed += now[i] != before[i];
      altered += now[i] != maze[i] && !(maze[i] == cell::free && now[i] == cell::path);
    }
    fmt::print("step {}: {} changed, {}, halting confidence {:.1f} %\n", s.number,
               changed == 0 ? "nothing" : fmt::format("{} cell{}", changed, changed == 1 ? "" : "s"),
               altered > 0          ? fmt::format("{} cells of the maze altered", altered)
               : !check.is_path     ? "no path yet"
               : !check.is_shortest ? "a path"
                                    : "a shortest path",
               100 * s.confidence);
    if (changed > 0) fmt::print("{}", draw_step(now, before, program::shows_colours()));
    std::fflush(stdout);
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

  program::solve_options o_;
  std::vector<std::string> mazes_;
};

}  // namespace trm_maze
