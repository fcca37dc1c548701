// SPDX-License-Identifier: MIT
// Builds a Sudoku dataset from tables of puzzles, in the published format and with its random draws.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/dataset_writer.hpp"
#include "trm/data/numpy_random.hpp"
#include "trm/io/partial_folder.hpp"
#include "trm/data/sudoku/board.hpp"
#include "trm/data/sudoku/puzzle_source.hpp"
#include "trm/data/sudoku/symmetry.hpp"
#include "trm/io/atomic_file.hpp"

namespace trm::sudoku {

/// How far the writing of a split is.
struct build_progress {
  std::string split;         // "train" or "test"
  std::int64_t done, total;  // puzzles of the table
};

/// What a dataset is made from, and how.
struct build_options {
  /// The folder with train.csv and test.csv (see puzzle_reader).
  std::filesystem::path source;
  /// The folder to make. It must not exist, or be empty.
  std::filesystem::path output;
  /// So many random puzzles of the training table, where it has more. Empty: all.
  std::optional<std::int64_t> subsample_size{};
  /// Only puzzles of both tables whose rating is at least this. Empty: all.
  std::optional<std::int64_t> min_difficulty{};
  /// Augmented puzzles beside each training puzzle.
  std::int64_t augmentations = 0;
  std::uint32_t seed = 0;
  /// Called now and then while a split is written. What it throws ends the build, which then leaves nothing behind.
  std::function<void(const build_progress&)> progress{};
};

/// What was written.
struct build_report {
  /// One split: its puzzles, and the groups that they and their augmentations are in, one for each puzzle of the table.
  struct split {
    std::string name;                      // "train" or "test"
    std::int64_t groups = 0, puzzles = 0;  // puzzles: with the augmentations
  };
  int size = 0;                 // of the boards: rows, columns and digits
  std::vector<split> splits{};  // in the order in which they were written
};

namespace detail {

/// The published shuffle_sudoku: a symmetry from NumPy's global generator.
inline symmetry draw_symmetry(int size, numpy_random& random) {
  const auto permute = [&](int n, std::span<std::uint8_t> out) {
    const std::vector<std::int64_t> order = random.permutation(static_cast<std::size_t>(n));
    // (The second bound is for the compiler, which does not know the first.)
    for (std::size_t i = 0; i < order.size() && i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(order[i]);
  };
  const auto flip = [&] {  // numpy.random.rand() < 0.5: 53 bits, the uppermost of them in the first output
    const bool lower_half = random.next_uint32() >> 31 == 0;
    random.next_uint32();
    return lower_half;
  };
  return sudoku::draw_symmetry(size, permute, flip);
}

/// One build. The order of the random draws is the published builder's: the subsample, then the augmentations, puzzle by
/// puzzle.
class dataset_build {
 public:
  explicit dataset_build(const build_options& options) : options_(options), random_(options.seed) {}

  build_report run() {
    if (options_.augmentations < 0) throw error("augmentations", "may not be negative");
    if (options_.subsample_size && *options_.subsample_size < 1) throw error("subsample_size", "must be at least 1");
    partial_folder folder(options_.output);  // a folder that cannot be written is found before the work
    for (const bool training : {true, false}) {
      const std::string name = training ? "train" : "test";
      const std::filesystem::path table = options_.source / (name + ".csv");
      const puzzle_source puzzles = read_puzzle_source(table, 0, 0, options_.min_difficulty.value_or(0));
      if (report_.size != 0 && puzzles.size() != report_.size) {
        throw error(table.string(), "its boards have another size than those of train.csv");
      }
      report_.size = puzzles.size();
      write_split(folder.path(), name, puzzles, training);
    }
    write_file(folder.path() / "identifiers.json", "[\"<blank>\"]");
    folder.commit();
    return std::move(report_);
  }

 private:
  /// The puzzles to write, in their order.
  std::vector<std::int64_t> chosen(const puzzle_source& puzzles, bool training) {
    std::vector<std::int64_t> order;
    if (training && options_.subsample_size && *options_.subsample_size < puzzles.groups()) {
      order = random_.permutation(static_cast<std::size_t>(puzzles.groups()));  // choice(n, size, replace=False)
      order.resize(static_cast<std::size_t>(*options_.subsample_size));
    } else {
      for (std::int64_t i = 0; i < puzzles.groups(); ++i) order.push_back(i);
    }
    return order;
  }

  void write_split(const std::filesystem::path& folder, const std::string& name, const puzzle_source& puzzles,
                   bool training) {
    const std::vector<std::int64_t> order = chosen(puzzles, training);
    dataset_metadata metadata = puzzles.metadata();
    dataset_writer writer(folder, name, metadata);
    const std::int64_t versions = training ? options_.augmentations + 1 : 1;
    std::vector<std::int32_t> inputs(static_cast<std::size_t>(metadata.seq_len)), labels(inputs.size());
    build_report::split counts{.name = name};
    for (const std::int64_t i : order) {
      const board question = puzzles.question(i), solution = puzzles.solution(i);
      for (std::int64_t version = 0; version < versions; ++version) {
        const symmetry s = version == 0 ? identity_symmetry() : draw_symmetry(puzzles.size(), random_);
        encode(s(question), std::span(inputs));
        encode(s(solution), std::span(labels));
        writer.add(inputs, labels);
        writer.end_puzzle(0);
      }
      writer.end_group();
      ++counts.groups;
      counts.puzzles += versions;
      const auto total = static_cast<std::int64_t>(order.size());
      if (options_.progress && (counts.groups % 64 == 0 || counts.groups == total)) {
        options_.progress({name, counts.groups, total});
      }
    }
    writer.commit();
    report_.splits.push_back(counts);
  }

  const build_options& options_;
  numpy_random random_;
  build_report report_;
};

}  // namespace detail

/// Builds the dataset `options.output`: train/, test/ and identifiers.json. Every puzzle of a table is a group, each of its
/// augmentations a puzzle with one example. The published builder does not seed NumPy, so no two of its runs are alike;
/// with `numpy.random.seed(seed)` before them they have these arrays, value for value, and where there are no
/// augmentations byte for byte (with augmentations it stores int64 tokens in train/, here they are uint8). Its
/// dataset.json gives the number of groups for total_puzzles; here puzzles are counted.
/// The folder is renamed into place when it is complete.
/// \throws trm::error on malformed tables, options that make no sense, and whatever cannot be written
inline build_report build_dataset(const build_options& options) { return detail::dataset_build(options).run(); }

}  // namespace trm::sudoku
