// SPDX-License-Identifier: MIT
// trm-arc materialize.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "../program/progress.hpp"
#include "../program/run.hpp"
#include "sources.hpp"
#include "trm/data/materialize.hpp"

namespace trm_arc {

class materialize_command {
 public:
  explicit materialize_command(program::application& app) {
    CLI::App& c = app.command(
        "materialize", "Write the files of a dataset in virtual form, those that a build without --virtual makes",
        "trm-arc materialize --data data/virtual --output data/files", [this] { run(); });
    c.add_option("--data", data_, "Dataset folder in virtual form")->required()->type_name("FOLDER");
    c.add_option("--output", output_, "Folder to make")->required()->type_name("FOLDER");
    c.add_flag("--quiet", quiet_, "No progress");
  }

 private:
  void run() const {
    std::optional<program::progress> shown;
    trm::materialize_options o;
    o.space = say_disk_space(quiet_);
    o.progress = [&](std::int64_t done, std::int64_t total) {
      program::stop_if_interrupted();
      if (!shown) shown.emplace("examples written", total, quiet_);
      shown->show(done, [] { return std::string(); });
    };
    trm::materialize(data_, output_, o);
  }

  std::filesystem::path data_, output_;
  bool quiet_ = false;
};

}  // namespace trm_arc
