// SPDX-License-Identifier: MIT
// trm-arc verify, and the same check after a build.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <fmt/core.h>

#include "../program/progress.hpp"
#include "../program/run.hpp"
#include "sources.hpp"
#include "trm/data/arc/verify.hpp"

namespace trm_arc {

/// Checks a dataset and says what was checked. \throws trm::error that names the first violation
inline void verify_dataset(const std::filesystem::path& folder, const trm::arc::verify_sources& sources, bool quiet) {
  std::unique_ptr<program::progress> shown;
  std::string split;
  trm::arc::verify_options o{.sources = sources, .progress = {}};
  o.progress = [&](const trm::arc::verify_progress& p) {
    program::stop_if_interrupted();
    if (!shown || p.split != split) {
      shown.reset();
      shown = std::make_unique<program::progress>("examples of " + p.split + " verified", p.total, quiet);
      split = p.split;
    }
    shown->show(p.done, [] { return std::string(); });
  };
  const trm::arc::verify_report report = trm::arc::verify(folder, o);
  shown.reset();
  for (const auto& s : report.splits)
    fmt::print("{}: {} tasks, {} puzzles, {} examples\n", s.name, s.groups, s.puzzles, s.examples);
  fmt::print("{}: verified{}: {} identifiers, every example is an augmentation of its {}\n", folder.string(),
             report.virtual_form ? ", virtual form" : "", report.identifiers,
             report.with_sources ? "source" : "group's first puzzle");
}

class verify_command {
 public:
  explicit verify_command(program::application& app) {
    CLI::App& c =
        app.command("verify", "Recompute the facts of a dataset, whoever built it, and name the first violation",
                    "trm-arc verify --data data/arc2 --source kaggle/combined", [this] { run(); });
    c.add_option("--data", data_, "Dataset folder, files or virtual form")->required()->type_name("FOLDER");
    c.add_flag("--quiet", quiet_, "No progress");
    add_source_options(c, sources_, false);
    command_ = &c;
  }

 private:
  void run() {
    const bool recorded = sources_.subsets.empty();
    if (recorded || sources_.source.empty()) {
      for (const char* option : {"--subsets", "--test-set", "--test-set2", "--tasks", "--max-side", "--max-tasks"}) {
        if (command_->get_option(option)->count() > 0) {
          throw trm::error(option, "says which tasks were read: give --source and --subsets, too");
        }
      }
    }
    if (recorded && !sources_.source.empty()) sources_ = trm::arc::recorded_sources(data_, sources_.source);
    sources_.source = source_prefix(sources_.source, sources_.subsets);
    verify_dataset(data_, sources_, quiet_);
  }

  std::filesystem::path data_;
  trm::arc::verify_sources sources_;
  CLI::App* command_ = nullptr;
  bool quiet_ = false;
};

}  // namespace trm_arc
