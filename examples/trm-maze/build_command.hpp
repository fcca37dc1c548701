// SPDX-License-Identifier: MIT
// trm-maze build-dataset.
#pragma once
#include <cstddef>
#include <filesystem>

#include <fmt/core.h>

#include "../program/run.hpp"
#include "trm/data/maze/builder.hpp"

namespace trm_maze {

class build_command {
 public:
  explicit build_command(program::application& app) {
    CLI::App& c = app.command("build-dataset", "Write tables of mazes in the published dataset format",
                              "trm-maze build-dataset --source maze-30x30-hard-1k --symmetries --output data/maze",
                              [this] { run(); });
    c.add_option("--source", source_, "Folder with train.csv and test.csv")->required()->type_name("FOLDER");
    c.add_option("--output", o_.output, "Folder to make")->required()->type_name("FOLDER");
    c.add_flag("--symmetries", o_.symmetries, "Eight turned and mirrored forms of each maze of the training split");
    limit_ = c.add_option("--subsample-size", subsample_, "So many mazes of the training split, drawn at random")
                 ->check(CLI::PositiveNumber);
    c.add_option("--seed", o_.seed, "Seed of that draw")->capture_default_str();
  }

 private:
  void run() {
    if (limit_->count() > 0) o_.subsample = subsample_;
    o_.train = source_ / "train.csv";
    if (std::filesystem::exists(source_ / "test.csv")) o_.test = source_ / "test.csv";
    for (const auto& r : trm::maze::build(o_)) {
      fmt::print("{}: {} mazes, {} puzzles, shortest paths of {} to {} steps\n", r.name, r.mazes, r.puzzles,
                 r.shortest_path, r.longest_path);
      const auto remark = [&](std::size_t count, const char* what) {
        if (count > 0) fmt::print("{}: {} {}\n", r.name, count, what);
      };
      remark(r.malformed, "questions without exactly one start and one goal, or with a path");
      remark(r.not_a_path, "answers that are no path through their maze");
      remark(r.not_shortest, "answers that are a path, but not a shortest one");
      remark(r.several_shortest, "mazes with several shortest paths: a right answer may differ from the label");
    }
  }

  trm::maze::build_options o_;
  std::filesystem::path source_;
  std::size_t subsample_ = 0;
  CLI::Option* limit_ = nullptr;
};

}  // namespace trm_maze
