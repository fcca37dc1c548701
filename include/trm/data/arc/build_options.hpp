// SPDX-License-Identifier: MIT
// What an ARC dataset is built from, and what came of it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trm/data/arc/grid.hpp"
#include "trm/data/disk_space.hpp"

namespace trm::arc {

/// Which tasks take part. The default takes all, as the published builder does.
struct task_filter {
  /// Only these, where any are named. A name that no subset has is an error.
  std::vector<std::string> ids;
  /// Only tasks all of whose grids have sides up to this.
  int max_grid_side = max_side;
  /// At most so many of each subset: the first in its shuffled order.
  std::optional<std::size_t> max_tasks;
};

/// What a build is at: augment, drawing the augmentations of every task; write, writing examples.
enum class build_phase { augment, write };

/// How far a build is.
struct build_progress {
  build_phase phase;  // what `done` counts
  std::size_t done;   // tasks augmented, or examples written
  std::size_t total;  // of both splits
};

/// What a dataset is built from, and how; the names and defaults are those of the published build_arc_dataset.py
/// where it has them.
struct build_options {
  /// See read_subset.
  std::string source;
  std::vector<std::string> subsets;
  /// The subsets whose test pairs are held out as the split "test". Empty for none. All else goes to the split "train".
  std::string test_set, test_set2;
  std::uint32_t seed = 42;
  /// Augmented puzzles wanted of each task, beside the task itself.
  int augmentations = 1000;
  /// Identifiers below it are blank. 0 is always blank.
  std::int32_t first_identifier = 1;
  /// Side of the square that holds a grid: an example has canvas * canvas tokens.
  int canvas = max_side;
  task_filter filter;
  /// Rows are made when they are read (virtual_dataset.hpp) instead of stored: the same dataset in about a hundredth of
  /// the space.
  bool virtual_form = false;
  /// The folder to make. It must not exist, or be empty, or hold the same build.
  std::filesystem::path output;
  /// Taken to be free on the disk, in bytes, instead of what the file system says.
  std::optional<std::uint64_t> available_space;
  /// Called before anything is written.
  disk_space_notice space;
  /// Called after every task of each phase. What it throws ends the build, which then leaves nothing behind.
  std::function<void(const build_progress&)> progress;
};

/// What a build wrote.
struct build_report {
  /// Counts of one split, as in its dataset.json.
  struct split {
    std::string name;                                   // "train" or "test"
    std::size_t groups = 0, puzzles = 0, examples = 0;  // tasks, their augmentations, rows
    friend bool operator==(const split&, const split&) = default;
  };
  std::vector<split> splits;  // in the order of writing
  /// With the blank ones.
  std::size_t identifiers = 0;
  /// Tasks with fewer distinct augmentations than wanted: name, and how many puzzles there are of it.
  std::vector<std::pair<std::string, std::size_t>> short_groups;
  /// Test inputs whose output is not known: their label is a single cell of colour 0, as published.
  std::size_t without_solution = 0;
  /// The tasks that have such test inputs.
  std::vector<std::string> unsolved_tasks;
  /// The same build was there before, and nothing was done. All else is as it was reported then.
  bool already_there = false;
};

}  // namespace trm::arc
