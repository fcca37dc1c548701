// SPDX-License-Identifier: MIT
// trm-arc verify, and the same check after a build.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "../program/progress.hpp"
#include "../program/run.hpp"
#include "sources.hpp"
#include "trm/data/arc/build_record.hpp"
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
  bool said(const char* option) const { return command_->get_option(option)->count() > 0; }

  void run() {
    if (!said("--source")) {
      for (const char* option : {"--subsets", "--test-set", "--test-set2", "--tasks", "--max-side", "--max-tasks"}) {
        if (said(option)) throw trm::error(option, "says which tasks of --source: give that, too");
      }
    } else {
      if (!said("--subsets")) take_recorded();
      sources_.source = source_prefix(sources_.source, sources_.subsets);
    }
    verify_dataset(data_, sources_, quiet_);
  }

  /// What was read, as the dataset's build.json says it; what is said in options counts instead.
  void take_recorded() {
    const std::string file = trm::arc::build_record::path_in(data_).string();
    const std::optional<trm::json> record = trm::arc::read_build_record(data_);
    if (!record) throw trm::error(file, "is not there to say what was read: give --subsets, --test-set, ...");
    const trm::json_field from = trm::json_field(*record, file).at("options");
    sources_.subsets = from.at("subsets").strings();
    if (!said("--test-set")) sources_.test_set = from.at("test_set").string();
    if (!said("--test-set2")) sources_.test_set2 = from.at("test_set2").string();
    if (!said("--tasks")) sources_.filter.ids = from.at("tasks").strings();
    if (!said("--max-side")) {
      sources_.filter.max_grid_side = static_cast<int>(from.at("max_side").integer(1, trm::arc::max_side));
    }
    const trm::json& most = record->at("options").at("max_tasks");
    if (!said("--max-tasks") && !most.is_null()) {
      sources_.filter.max_tasks = static_cast<std::size_t>(from.at("max_tasks").integer(1));
    }
  }

  std::filesystem::path data_;
  trm::arc::verify_sources sources_;
  CLI::App* command_ = nullptr;
  bool quiet_ = false;
};

}  // namespace trm_arc
