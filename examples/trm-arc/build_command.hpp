// SPDX-License-Identifier: MIT
// trm-arc build-dataset.
#pragma once
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "../program/progress.hpp"
#include "../program/run.hpp"
#include "trm/data/arc/builder.hpp"

namespace trm_arc {

/// `SOURCE` of read_subset: a folder that holds NAME_SUBSET_challenges.json stands for SOURCE/NAME.
inline std::string source_prefix(const std::string& source, const std::vector<std::string>& subsets) {
  if (!std::filesystem::is_directory(source) || subsets.empty()) return source;
  const std::string ending = "_" + subsets.front() + "_challenges.json";
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(source)) {
    const std::string name = entry.path().filename().string();
    if (name.size() > ending.size() && name.ends_with(ending))
      found.push_back(name.substr(0, name.size() - ending.size()));
  }
  if (found.size() > 1)
    throw trm::error(source,
                     "holds several collections with a subset " + subsets.front() + ": give --source FOLDER/NAME");
  return found.empty() ? source : (std::filesystem::path(source) / found.front()).string();
}

class build_command {
 public:
  explicit build_command(program::application& app) {
    CLI::App& c = app.command("build-dataset", "Augment ARC tasks and write them in the published dataset format",
                              "trm-arc build-dataset --source kaggle/combined --subsets training2,evaluation2,concept "
                              "--test-set evaluation2 --output data/arc2",
                              [this] { run(); });
    c.add_option(
         "--source", o_.source,
         "Folder of Kaggle's combined files, FOLDER/NAME before _SUBSET_challenges.json, or folder of single-task "
         "files")
        ->required();
    c.add_option("--subsets", o_.subsets, "Subsets to read, separated by commas")->required()->delimiter(',');
    c.add_option("--test-set", o_.test_set, "Subset whose test pairs are held out");
    c.add_option("--test-set2", o_.test_set2, "A second one");
    c.add_option("--augmentations", o_.augmentations, "Augmented puzzles of each task")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    c.add_option("--seed", o_.seed, "Seed of the random draws")->capture_default_str();
    c.add_option("--first-identifier", o_.first_identifier, "Identifiers below it stay blank")->capture_default_str();
    c.add_option("--canvas", canvas_, "Side of the square that holds a grid; below 30 only tasks that fit take part")
        ->capture_default_str()
        ->check(CLI::Range(1, 30));
    c.add_option("--max-side", o_.filter.max_grid_side, "Only tasks whose grids have sides up to this")
        ->capture_default_str()
        ->check(CLI::Range(1, 30));
    c.add_option("--tasks", o_.filter.ids, "Only these tasks, separated by commas")->delimiter(',');
    limit_ =
        c.add_option("--max-tasks", max_tasks_, "At most so many tasks of each subset")->check(CLI::PositiveNumber);
    c.add_option("--output", output_, "Folder to make")->required();
    c.add_flag("--quiet", quiet_, "No progress");
  }

 private:
  void run() const {
    trm::arc::build_options o = o_;
    o.output = output_;
    if (limit_->count() > 0) o.filter.max_tasks = max_tasks_;
    o.source = source_prefix(o.source, o.subsets);
    o.canvas = canvas_;
    if (canvas_ < trm::arc::max_side) o.filter.max_grid_side = std::min(o.filter.max_grid_side, canvas_);
    std::unique_ptr<program::progress> shown;
    trm::arc::build_phase phase = trm::arc::build_phase::augment;
    o.progress = [&](const trm::arc::build_progress& p) {
      program::stop_if_interrupted();
      if (!shown || p.phase != phase) {
        shown.reset();
        shown = std::make_unique<program::progress>(
            p.phase == trm::arc::build_phase::augment ? "tasks augmented" : "examples written",
            static_cast<std::int64_t>(p.total), quiet_);
        phase = p.phase;
      }
      shown->show(static_cast<std::int64_t>(p.done), [] { return std::string(); });
    };
    const trm::arc::build_report report = trm::arc::build(o);
    shown.reset();
    for (const auto& s : report.splits)
      fmt::print("{}: {} tasks, {} puzzles, {} examples\n", s.name, s.groups, s.puzzles, s.examples);
    fmt::print("{} identifiers\n", report.identifiers);
    if (report.without_solution > 0) fmt::print("{} test inputs have no known output\n", report.without_solution);
    if (!report.short_groups.empty()) {
      fmt::print("{} tasks have fewer distinct augmentations than wanted, the least {} of {}\n",
                 report.short_groups.size(),
                 std::ranges::min_element(report.short_groups, {}, [](const auto& g) { return g.second; })->second - 1,
                 o.augmentations);
    }
  }

  trm::arc::build_options o_;
  int canvas_ = trm::arc::max_side;
  std::size_t max_tasks_ = 0;
  std::string output_;
  CLI::Option* limit_ = nullptr;
  bool quiet_ = false;
};

}  // namespace trm_arc
