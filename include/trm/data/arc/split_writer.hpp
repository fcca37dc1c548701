// SPDX-License-Identifier: MIT
// Writes one split of an ARC dataset, row by row, in either of its forms.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/row.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/data/arc/virtual_dataset.hpp"
#include "trm/data/dataset_writer.hpp"

namespace trm::arc {

/// What every ARC dataset has in its dataset.json, before the counts.
inline dataset_metadata arc_metadata(int canvas, std::size_t identifiers) {
  dataset_metadata m;
  m.pad_id = pad_token;
  m.ignore_label_id = pad_token;
  m.vocab_size = vocabulary;
  m.seq_len = canvas * canvas;
  m.num_puzzle_identifiers = static_cast<std::int32_t>(identifiers);
  return m;
}

/// The split is no dataset before commit(). Requires the outputs of all examples.
class split_writer {
 public:
  virtual ~split_writer() = default;
  /// A task begins, with all its examples before augmentation; they outlive the group.
  virtual void begin_group(std::span<const example* const> examples) = 0;
  /// One augmentation of the task begins, under its identifier.
  virtual void begin_puzzle(const augmentation& how, std::int32_t identifier) = 0;
  /// Example `i` of the group under the augmentation of the puzzle, at a place of the canvas. In the order of i.
  virtual void add_row(std::size_t i, int top, int left) = 0;
  /// All rows of the puzzle have been added.
  virtual void end_puzzle() = 0;
  /// All puzzles of the task have been added.
  virtual void end_group() = 0;
  /// All but dataset.json is in its place.
  virtual void commit_rows() = 0;
  /// The whole split is in its place. Throws trm::error where it cannot be written, here as in all others.
  virtual void commit() = 0;
};

/// The published arrays.
class array_split_writer final : public split_writer {
 public:
  /// Writes FOLDER/SPLIT; of the metadata seq_len says the canvas, the counts are filled in.
  array_split_writer(const std::filesystem::path& folder, const std::string& split, const dataset_metadata& m)
      : canvas_(canvas_side(static_cast<std::size_t>(m.seq_len))),
        inputs_(static_cast<std::size_t>(m.seq_len)),
        labels_(inputs_.size()),
        writer_(folder, split, m) {}

  void begin_group(std::span<const example* const> examples) override {
    examples_.assign(examples.begin(), examples.end());
  }
  void begin_puzzle(const augmentation& how, std::int32_t identifier) override {
    transform_ = how.transform;
    tokens_ = tokens_of<std::uint8_t>(how.colours);
    identifier_ = identifier;
  }
  void add_row(std::size_t i, int top, int left) override {
    write_canvas(examples_[i]->input, transform_, tokens_, canvas_, top, left, inputs_.data());
    write_canvas(*examples_[i]->output, transform_, tokens_, canvas_, top, left, labels_.data());
    writer_.add(std::span<const std::uint8_t>(inputs_), std::span<const std::uint8_t>(labels_));
  }
  void end_puzzle() override { writer_.end_puzzle(identifier_); }
  void end_group() override { writer_.end_group(); }
  void commit_rows() override { writer_.commit_arrays(); }
  void commit() override { writer_.commit(); }

 private:
  int canvas_;
  std::vector<std::uint8_t> inputs_, labels_;
  dataset_writer writer_;
  std::vector<const example*> examples_;
  int transform_ = 0;
  canvas_tokens<std::uint8_t> tokens_;
  std::int32_t identifier_ = 0;
};

/// The virtual form.
class virtual_split_writer final : public split_writer {
 public:
  /// Writes FOLDER/SPLIT; of the metadata seq_len says the canvas, the counts are filled in.
  virtual_split_writer(const std::filesystem::path& folder, const std::string& split, dataset_metadata m)
      : folder_(folder / split),
        metadata_(std::move(m)),
        rows_(canvas_side(static_cast<std::size_t>(metadata_.seq_len))) {
    std::error_code failed;
    std::filesystem::create_directories(folder_, failed);
    if (failed) throw error(folder_.string(), "cannot create the folder: " + failed.message());
    metadata_.sets = {"all"};
  }

  void begin_group(std::span<const example* const> examples) override { rows_.begin_group(examples); }
  void begin_puzzle(const augmentation& how, std::int32_t identifier) override { rows_.add_puzzle(how, identifier); }
  void add_row(std::size_t, int top, int left) override {
    rows_.add_row(top, left);
    ++examples_;
  }
  void end_puzzle() override { ++metadata_.total_puzzles; }
  void end_group() override {
    rows_.end_group();
    ++metadata_.total_groups;
  }
  void commit_rows() override { rows_.save(virtual_file_path(folder_, "all")); }
  void commit() override {
    if (metadata_.total_puzzles > 0) {
      metadata_.mean_puzzle_examples = static_cast<double>(examples_) / static_cast<double>(metadata_.total_puzzles);
    }
    write_dataset_metadata(folder_ / "dataset.json", metadata_);
  }

 private:
  std::filesystem::path folder_;
  dataset_metadata metadata_;
  virtual_rows_writer rows_;
  std::int64_t examples_ = 0;
};

}  // namespace trm::arc
