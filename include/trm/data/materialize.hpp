// SPDX-License-Identifier: MIT
// Turns a dataset in virtual form into the files that it stands for.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/dataset.hpp"
#include "trm/data/dataset_writer.hpp"
#include "trm/data/disk_space.hpp"
#include "trm/io/partial_folder.hpp"

namespace trm {

/// How a virtual dataset is written out as files.
struct materialize_options {
  /// Taken to be free on the disk, in bytes, instead of what the file system says.
  std::optional<std::uint64_t> available_space;
  /// Called before anything is written.
  disk_space_notice space;
  /// Rows written, of how many; called after every group. What it throws ends the work, which then leaves nothing.
  std::function<void(std::int64_t, std::int64_t)> progress;
};

namespace detail {

inline std::vector<std::string> splits_in(const std::filesystem::path& folder) {
  std::vector<std::string> splits;
  std::error_code code, unseen;
  for (std::filesystem::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code)) {
    if (std::filesystem::exists(entry->path() / "dataset.json", unseen)) {
      splits.push_back(entry->path().filename().string());
    }
  }
  if (code) throw error(folder.string(), "cannot list the folder: " + code.message());
  if (splits.empty()) throw error(folder.string(), "no dataset: no folder in it has a dataset.json");
  std::ranges::sort(splits);
  return splits;
}

inline void copy_files(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code code;
  for (std::filesystem::directory_iterator entry(from, code), end; !code && entry != end; entry.increment(code)) {
    if (!entry->is_regular_file(code)) continue;
    std::filesystem::copy_file(entry->path(), to / entry->path().filename(), code);
    if (code) throw error(entry->path().string(), "cannot copy: " + code.message());
  }
  if (code) throw error(from.string(), "cannot list the folder: " + code.message());
}

}  // namespace detail

/// Writes the dataset in the folder `from` to the folder `to` with its rows in arrays: the same splits and the same other files.
/// The arrays are those that the builder would have written. The folder is renamed into place when it is complete.
/// \throws trm::error where `from` is no dataset or has no set in virtual form, `to` is there already, or there is no room
inline void materialize(const std::filesystem::path& from, const std::filesystem::path& to,
                        const materialize_options& options = {}) {
  std::vector<dataset> data;
  const std::vector<std::string> splits = detail::splits_in(from);
  bool any_virtual = false;
  std::int64_t rows = 0, done = 0;
  std::uint64_t bytes = 1 << 20;
  for (const std::string& split : splits) {
    data.push_back(dataset::open(from, split));
    const dataset_metadata& m = data.back().metadata();
    for (const dataset_set& set : data.back().sources()) {
      any_virtual = any_virtual || set.is_virtual();
      rows += set.rows();
      bytes += static_cast<std::uint64_t>(set.rows()) * 2 * static_cast<std::uint64_t>(m.seq_len) *
                   (dataset_writer::is_small(m) ? 1 : 4) +
               static_cast<std::uint64_t>(2 * set.puzzles() + set.groups()) * 4;
    }
  }
  if (!any_virtual) throw error(from.string(), "has no set in virtual form: there is nothing to materialize");
  partial_folder folder(to);
  require_disk_space(folder.path(), bytes, options.available_space, options.space);
  detail::copy_files(from, folder.path());
  std::vector<std::unique_ptr<dataset_writer>> writers;
  for (std::size_t i = 0; i < splits.size(); ++i) {
    const dataset_metadata& m = data[i].metadata();
    std::vector<std::int32_t> inputs(static_cast<std::size_t>(m.seq_len)), labels(inputs.size());
    for (const dataset_set& set : data[i].sources()) {
      if (&set == data[i].sources().data()) {
        writers.push_back(std::make_unique<dataset_writer>(folder.path(), splits[i], m, set.name()));
      } else {
        writers.back()->begin_set(set.name());
      }
      for (std::int64_t group = 0; group < set.groups(); ++group) {
        const index_range puzzles = set.puzzles_of(group);
        for (std::int64_t puzzle = puzzles.first; puzzle < puzzles.last; ++puzzle) {
          const index_range of = set.rows_of(puzzle);
          for (std::int64_t row = of.first; row < of.last; ++row, ++done) {
            set.read(row, inputs.data(), labels.data());
            writers.back()->add(std::span<const std::int32_t>(inputs), std::span<const std::int32_t>(labels));
          }
          writers.back()->end_puzzle(set.puzzle_identifier(puzzle));
        }
        writers.back()->end_group();
        if (options.progress) options.progress(done, rows);
      }
    }
    writers.back()->commit_arrays();
  }
  for (const auto& writer : writers) writer->commit();
  folder.commit();
}

}  // namespace trm
