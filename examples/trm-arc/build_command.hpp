// SPDX-License-Identifier: MIT
// trm-arc build-dataset.
#pragma once
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include <fmt/core.h>

#include "../program/progress.hpp"
#include "../program/run.hpp"
#include "../program/task.hpp"
#include "sources.hpp"
#include "trm/data/arc/build_record.hpp"
#include "trm/data/arc/builder.hpp"
#include "verify_command.hpp"

namespace trm_arc {

class build_command {
 public:
  explicit build_command(program::application& app) {
    CLI::App& c = app.command("build-dataset", "Augment ARC tasks and write them in the published dataset format",
                              "trm-arc build-dataset --source kaggle/combined --subsets training2,evaluation2,concept "
                              "--test-set evaluation2 --output data/arc2",
                              [this] { run(); });
    add_source_options(c, o_, true);
    c.add_option("--augmentations", o_.augmentations, "Augmented puzzles of each task")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    c.add_option("--seed", o_.seed, "Seed of the random draws")->capture_default_str();
    c.add_option("--first-identifier", o_.first_identifier, "Identifiers below it stay blank")->capture_default_str();
    c.add_option("--canvas", canvas_, "Side of the square that holds a grid; below 30 only tasks that fit take part")
        ->capture_default_str()
        ->check(CLI::Range(1, 30));
    c.add_flag(
        "--virtual", o_.virtual_form,
        "Store how examples are made instead of the examples: the same dataset in about a hundredth of the space");
    c.add_flag(
        "--verify", verify_,
        "Then check the dataset against the sources; one that another builder left in --output is checked alone");
    c.add_option("--output", o_.output, "Folder to make; the same build there is left as it is")
        ->required()
        ->type_name("FOLDER");
    c.add_flag("--quiet", quiet_, "No progress");
  }

 private:
  void run() {
    o_.source = source_prefix(o_.source, o_.subsets);
    o_.canvas = canvas_;
    if (canvas_ < trm::arc::max_side) o_.filter.max_grid_side = std::min(o_.filter.max_grid_side, canvas_);
    if (verify_ && is_of_another_builder()) {
      fmt::print("{}: already there, made by another builder: nothing is built\n", o_.output.string());
    } else {
      build();
    }
    if (!verify_) return;
    verify_dataset(o_.output, {o_.source, o_.subsets, o_.test_set, o_.test_set2, o_.filter}, quiet_);
  }

  /// Whoever builds with this library leaves a build.json.
  bool is_of_another_builder() const {
    std::error_code unseen;
    return program::is_dataset(o_.output, "train") &&
           !std::filesystem::exists(trm::arc::build_record::path_in(o_.output), unseen);
  }

  void build() {
    std::unique_ptr<program::progress> shown;
    trm::arc::build_phase phase = trm::arc::build_phase::augment;
    o_.space = [&](std::uint64_t needed, std::optional<std::uint64_t> free) {
      shown.reset();
      say_disk_space(quiet_)(needed, free);
    };
    o_.progress = [&](const trm::arc::build_progress& p) {
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
    const trm::arc::build_report report = trm::arc::build(o_);
    shown.reset();
    print(report);
  }

  void print(const trm::arc::build_report& report) const {
    if (report.already_there) fmt::print("{}: already there: the same build\n", o_.output.string());
    for (const auto& s : report.splits)
      fmt::print("{}: {} tasks, {} puzzles, {} examples\n", s.name, s.groups, s.puzzles, s.examples);
    fmt::print("{} identifiers\n", report.identifiers);
    if (report.without_solution > 0) {
      fmt::print("{} test inputs of {} tasks have no known output ({}{})\n", report.without_solution,
                 report.unsolved_tasks.size(), report.unsolved_tasks.front(),
                 report.unsolved_tasks.size() > 1 ? ", ..." : "");
    }
    if (!report.short_groups.empty()) {
      fmt::print("{} tasks have fewer distinct augmentations than wanted, the least {} of {}\n",
                 report.short_groups.size(),
                 std::ranges::min_element(report.short_groups, {}, [](const auto& g) { return g.second; })->second - 1,
                 o_.augmentations);
    }
  }

  trm::arc::build_options o_;
  int canvas_ = trm::arc::max_side;
  bool quiet_ = false, verify_ = false;
};

}  // namespace trm_arc
