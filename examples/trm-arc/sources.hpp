// SPDX-License-Identifier: MIT
// The tasks that a dataset is built from and verified against, as options.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "../program/run.hpp"
#include "trm/data/arc/build_options.hpp"
#include "trm/data/arc/grid.hpp"

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

/// Options for the fields that build_options and verify_sources have in common.
template <class Sources>
void add_source_options(CLI::App& c, Sources& o, bool required) {
  c.add_option(
       "--source", o.source,
       "Folder of Kaggle's combined files, FOLDER/NAME before _SUBSET_challenges.json, or folder of single-task "
       "files")
      ->required(required)
      ->type_name("PATH");
  c.add_option("--subsets", o.subsets, "Subsets to read, separated by commas")->required(required)->delimiter(',');
  c.add_option("--test-set", o.test_set, "Subset whose test pairs are held out");
  c.add_option("--test-set2", o.test_set2, "A second one");
  c.add_option("--tasks", o.filter.ids, "Only these tasks, separated by commas")->delimiter(',');
  c.add_option("--max-side", o.filter.max_grid_side, "Only tasks whose grids have sides up to this")
      ->capture_default_str()
      ->check(CLI::Range(1, trm::arc::max_side));
  c.add_option("--max-tasks", o.filter.max_tasks, "At most so many tasks of each subset")->check(CLI::PositiveNumber);
}

/// 12345678 -> "12.3 MB"
inline std::string bytes_text(std::uint64_t bytes) {
  double value = static_cast<double>(bytes);
  const char* unit = "B";
  for (const char* next : {"kB", "MB", "GB", "TB", "PB"}) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return value == static_cast<double>(bytes) ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, unit);
}

/// Says how much will be written and how much is free.
inline trm::disk_space_notice say_disk_space(bool quiet) {
  return [quiet](std::uint64_t needed, std::optional<std::uint64_t> free) {
    if (quiet) return;
    fmt::print(stderr, "writes {}, {}\n", bytes_text(needed),
               free ? bytes_text(*free) + " are free" : std::string("the file system does not say how much is free"));
  };
}

}  // namespace trm_arc
