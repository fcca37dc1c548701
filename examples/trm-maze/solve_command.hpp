// SPDX-License-Identifier: MIT
// trm-maze solve.
#pragma once
#include <filesystem>
#include <iostream>
#include <iterator>
#include <span>
#include <string>
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
                              "runs/maze/checkpoints/step_5000.safetensors -",
                              [this] { run(); });
    c.add_option("maze", file_,
                 "File with a maze, lines of \"# SG\" (wall, free, start, goal), or - for standard input")
        ->required();
    program::add_solve_options(c, o_);
  }

 private:
  static void draw(const trm::maze::grid& g, const trm::maze::grid& before) {
    fmt::print("{}", program::shows_colours() ? trm::maze::to_ansi(g, before) : trm::maze::to_text(g));
  }
  void run() const {
    const std::string place = file_ == "-" ? "standard input" : file_;
    const trm::maze::grid maze = trm::maze::parse(
        file_ == "-" ? std::string((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>())
                     : trm::read_file(file_),
        place);
    const auto best = trm::maze::solve(maze);  // refuses what is no maze
    const auto model = program::preset_list().of_checkpoint(o_.checkpoint, o_.preset).make();
    if (static_cast<int>(maze.size()) != model->description().tokens) {
      throw trm::error(place, fmt::format("has {} cells, the checkpoint's model is for {}", maze.size(),
                                          model->description().tokens));
    }
    const auto solver = model->solver(o_.checkpoint, 1, o_.threads);
    std::vector<int> tokens(maze.size());
    trm::maze::encode(maze, std::span(tokens));
    const bool drawn = !o_.json && !o_.quiet;
    trm::json steps = trm::json::array();
    trm::maze::grid before = maze;
    trm::maze::answer_check check;
    if (drawn) draw(maze, maze);
    const auto last = program::solve(*solver, tokens, o_, [&](const program::solving_step& s) {
      const trm::maze::grid now = trm::maze::decode(std::span<const int>(s.answer));
      check = trm::maze::check_answer(maze, now, now);
      if (o_.json) steps.push_back({{"answer", trm::maze::to_line(now)}, {"halting_confidence", s.confidence}});
      if (drawn) {
        int changed = 0;
        for (std::size_t i = 0; i < now.size(); ++i) changed += now[i] != before[i];
        fmt::print("step {}: {} cells changed, halting confidence {:.3f}{}\n", s.number, changed, s.confidence,
                   !check.keeps_maze || !check.is_path ? ""
                   : check.is_shortest                 ? ", a shortest path"
                                                       : ", a path");
        if (changed > 0) draw(now, before);
      }
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
      fmt::print("{}", trm::maze::to_text(before));
    }
    if (!solved) {
      throw trm::error(place, best ? fmt::format("not solved in {} supervision steps", last.number)
                                   : "no path leads from start to goal");
    }
    if (drawn) fmt::print("solved after {} supervision step{}\n", last.number, last.number == 1 ? "" : "s");
  }

  program::solve_options o_;
  std::string file_;
};

}  // namespace trm_maze
