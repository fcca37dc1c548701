// SPDX-License-Identifier: MIT
// trm-sudoku build-dataset.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include <fmt/core.h>

#include "../program/progress.hpp"
#include "../program/run.hpp"
#include "trm/data/sudoku/builder.hpp"

namespace trm_sudoku {

class build_command {
 public:
  explicit build_command(program::application& app) {
    CLI::App& c =
        app.command("build-dataset", "Write tables of puzzles in the published dataset format",
                    "trm-sudoku build-dataset --source sudoku-extreme --subsample-size 1000 --augmentations 1000 "
                    "--output data/sudoku",
                    [this] { run(); });
    c.add_option("--source", o_.source, "Folder with train.csv and test.csv (columns source, q, a, rating)")
        ->required()
        ->type_name("FOLDER");
    c.add_option("--output", o_.output, "Folder to make")->required()->type_name("FOLDER");
    subsample_ = c.add_option("--subsample-size", size_, "So many puzzles of the training table, drawn at random")
                     ->check(CLI::PositiveNumber);
    difficulty_ = c.add_option("--min-difficulty", least_, "Only puzzles whose rating is at least this")
                      ->check(CLI::NonNegativeNumber);
    c.add_option("--augmentations", o_.augmentations, "Symmetric forms beside each training puzzle")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    c.add_option("--seed", o_.seed, "Seed of the random draws")->capture_default_str();
    c.add_flag("--quiet", quiet_, "No progress");
  }

 private:
  void run() {
    if (subsample_->count() > 0) o_.subsample_size = size_;
    if (difficulty_->count() > 0) o_.min_difficulty = least_;
    std::unique_ptr<program::progress> shown;
    std::string split;
    o_.progress = [&](const trm::sudoku::build_progress& p) {
      program::stop_if_interrupted();
      if (!shown || p.split != split) {
        shown.reset();
        shown = std::make_unique<program::progress>(p.split + " puzzles", p.total, quiet_);
        split = p.split;
      }
      shown->show(p.done, [] { return std::string(); });
    };
    const auto report = trm::sudoku::build_dataset(o_);
    shown.reset();
    for (const auto& s : report.splits) {
      fmt::print("{}: {} puzzles of {} x {}, {} examples\n", s.name, s.groups, report.size, report.size, s.puzzles);
    }
  }

  trm::sudoku::build_options o_;
  std::int64_t size_ = 0, least_ = 0;
  CLI::Option *subsample_ = nullptr, *difficulty_ = nullptr;
  bool quiet_ = false;
};

}  // namespace trm_sudoku
