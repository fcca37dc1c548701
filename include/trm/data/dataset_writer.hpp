// SPDX-License-Identifier: MIT
// Writes the published TRM dataset format, example by example.
#pragma once
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "trm/data/dataset.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/json.hpp"
#include "trm/io/npy.hpp"

namespace trm {

/// The text of dataset.json.
inline std::string dataset_metadata_text(const dataset_metadata& m) {
  const json document{{"pad_id", m.pad_id},
                      {"ignore_label_id", m.ignore_label_id ? json(*m.ignore_label_id) : json(nullptr)},
                      {"blank_identifier_id", m.blank_identifier_id},
                      {"vocab_size", m.vocab_size},
                      {"seq_len", m.seq_len},
                      {"num_puzzle_identifiers", m.num_puzzle_identifiers},
                      {"total_groups", m.total_groups},
                      {"mean_puzzle_examples", m.mean_puzzle_examples},
                      {"total_puzzles", m.total_puzzles},
                      {"sets", m.sets}};
  return document.dump();
}

/// Writes dataset.json, atomically.
inline void write_dataset_metadata(const std::filesystem::path& file, const dataset_metadata& m) {
  write_file(file, dataset_metadata_text(m));
}

/// One split of a dataset:
///   dataset_writer w("data/my-task", "train", {.vocab_size = 11, .seq_len = 81});
///   for (each group) { for (each puzzle) { w.add(inputs, labels); ...; w.end_puzzle(identifier); } w.end_group(); }
///   w.commit();
/// Examples stream to disk, indices are kept in memory. Nothing is in its place before commit().
class dataset_writer {
 public:
  /// Of `metadata` the counts and the sets are ignored: they are counted. Tokens are stored as uint8 where vocabulary
  /// and ignore_label_id allow, otherwise as int32. Throws trm::error where the folder <path>/<split> cannot be made.
  dataset_writer(const std::filesystem::path& path, const std::string& split, dataset_metadata metadata,
                 std::string first_set = "all")
      : folder_(path / split), metadata_(std::move(metadata)) {
    const dataset_metadata& m = metadata_;
    if (m.seq_len < 1 || m.vocab_size < 1 || m.num_puzzle_identifiers < 1 || m.pad_id < 0 || m.pad_id >= m.vocab_size ||
        m.blank_identifier_id < 0 || m.blank_identifier_id >= m.num_puzzle_identifiers) {
      throw error(folder_.string(), "seq_len, vocab_size, pad_id or the identifiers are out of range");
    }
    metadata_.total_groups = metadata_.total_puzzles = 0;
    metadata_.mean_puzzle_examples = 0;
    metadata_.sets.clear();
    std::error_code failed;
    std::filesystem::create_directories(folder_, failed);
    if (failed) throw error(folder_.string(), "cannot create the folder: " + failed.message());
    begin_set(std::move(first_set));
  }

  /// Whether tokens are stored as uint8.
  static bool is_small(const dataset_metadata& m) {
    const std::int32_t ignore = m.ignore_label_id.value_or(0);
    return m.vocab_size <= 256 && ignore >= 0 && ignore < 256;
  }

  /// Ends the current set and begins another.
  void begin_set(std::string name) {
    require_open();
    if (!sets_.empty()) require_complete();
    if (!is_set_name(name) || std::count(metadata_.sets.begin(), metadata_.sets.end(), name) != 0) {
      throw error(folder_.string(), "\"" + detail::printable(name) + "\" is not a name for a set, or was used before");
    }
    const element_type type = is_small(metadata_) ? element_type::u8 : element_type::i32;
    const std::vector<std::int64_t> row{metadata_.seq_len};
    sets_.push_back({{folder_ / (name + "__inputs.npy"), type, row}, {folder_ / (name + "__labels.npy"), type, row}});
    metadata_.sets.push_back(std::move(name));
  }

  /// One example of the current puzzle. Labels: tokens, or ignored_label, which is stored as ignore_label_id. Throws
  /// where a length is not seq_len or a token is outside the vocabulary.
  void add(std::span<const std::int32_t> inputs, std::span<const std::int32_t> labels) {
    require_open();
    const auto n = static_cast<std::size_t>(metadata_.seq_len);
    if (inputs.size() != n || labels.size() != n) fail("expected " + std::to_string(n) + " tokens");
    labels_.assign(labels.begin(), labels.end());
    for (std::size_t i = 0; i < n; ++i) {
      if (labels_[i] == ignored_label) {
        if (!metadata_.ignore_label_id) fail("an ignored label, but the dataset has no ignore_label_id");
        labels_[i] = *metadata_.ignore_label_id;
      } else if (outside(labels_[i])) {
        fail("label " + std::to_string(labels_[i]) + " outside the vocabulary");
      }
      if (outside(inputs[i])) fail("token " + std::to_string(inputs[i]) + " outside the vocabulary");
    }
    sets_.back().inputs.append(inputs);
    sets_.back().labels.append(std::span<const std::int32_t>(labels_));
  }
  /// The same for tokens as they are stored: labels that do not count are ignore_label_id.
  void add(std::span<const std::uint8_t> inputs, std::span<const std::uint8_t> labels) {
    require_open();
    const auto n = static_cast<std::size_t>(metadata_.seq_len);
    if (inputs.size() != n || labels.size() != n) fail("expected " + std::to_string(n) + " tokens");
    const auto refuse = [&](std::span<const std::uint8_t> tokens, const char* what, std::int32_t allowed) {
      for (const std::uint8_t token : tokens) {
        if (outside(token) && token != allowed) fail(what + std::to_string(token) + " outside the vocabulary");
      }
    };
    refuse(inputs, "token ", 0);
    refuse(labels, "label ", metadata_.ignore_label_id.value_or(0));
    sets_.back().inputs.append(inputs);
    sets_.back().labels.append(labels);
  }
  /// The examples since the last puzzle are one puzzle with this identifier.
  void end_puzzle(std::int32_t identifier) {
    require_open();
    set& s = sets_.back();
    if (s.inputs.rows() == s.puzzle_indices.back()) fail("a puzzle without examples");
    if (s.inputs.rows() > std::numeric_limits<std::int32_t>::max()) fail("more examples than int32 indices can count");
    if (identifier < 0 || identifier >= metadata_.num_puzzle_identifiers) {
      fail("identifier " + std::to_string(identifier) + " outside [0, " +
           std::to_string(metadata_.num_puzzle_identifiers) + ")");
    }
    s.puzzle_indices.push_back(static_cast<std::int32_t>(s.inputs.rows()));
    s.puzzle_identifiers.push_back(identifier);
  }
  /// The puzzles since the last group are one group.
  void end_group() {
    require_open();
    set& s = sets_.back();
    if (s.puzzles() == s.group_indices.back()) fail("a group without puzzles");
    s.group_indices.push_back(s.puzzles());
  }
  /// Puts the arrays in their place; dataset.json, without which they are no dataset, is left to commit(). All of them
  /// are on the disk before: where it fills, an older dataset stays as it was. It is unreadable from then on.
  void commit_arrays() {
    finish_arrays();
    put_arrays();
  }
  /// Puts every file in its place, dataset.json last. All of them are on the disk before: where it fills, an older
  /// dataset stays as it was. While they are put in place it is unreadable, never a mixture.
  void commit() {
    if (complete_ && !committed_) {
      write_dataset_metadata(folder_ / "dataset.json", metadata_);
    } else {
      finish_arrays();
      atomic_file description(folder_ / "dataset.json");
      description.write(dataset_metadata_text(metadata_));
      description.sync();
      put_arrays();
      description.commit();
    }
    committed_ = true;
  }
  /// What commit() wrote.
  const dataset_metadata& metadata() const { return metadata_; }

 private:
  struct set {
    npy_writer inputs, labels;
    std::vector<std::int32_t> puzzle_indices{0}, group_indices{0}, puzzle_identifiers{};
    std::vector<npy_writer> lists{};  // of them, once the set is complete

    std::int32_t puzzles() const { return static_cast<std::int32_t>(puzzle_identifiers.size()); }
  };

  bool outside(std::int32_t token) const { return token < 0 || token >= metadata_.vocab_size; }
  void require_open() const {
    if (complete_) throw error(folder_.string(), "the dataset was committed before");
  }
  void require_complete() const {
    const set& s = sets_.back();
    if (s.inputs.rows() != s.puzzle_indices.back()) fail("end_puzzle() is missing");
    if (s.puzzles() != s.group_indices.back()) fail("end_group() is missing");
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw error(
        folder_.string() + ": set " + metadata_.sets.back() + ": example " + std::to_string(sets_.back().inputs.rows()),
        what);
  }
  /// Writes all arrays to the disk, beside their places, and counts.
  void finish_arrays() {
    require_open();
    require_complete();
    dataset_metadata& m = metadata_;
    std::int64_t examples = 0;
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      set& s = sets_[i];
      s.inputs.sync();
      s.labels.sync();
      const auto add_list = [&](const char* field, const std::vector<std::int32_t>& values) {
        s.lists.emplace_back(folder_ / (m.sets[i] + "__" + field + ".npy"), element_type::i32,
                             std::vector<std::int64_t>{});
        s.lists.back().append(std::span<const std::int32_t>(values));
        s.lists.back().sync();
      };
      add_list("puzzle_identifiers", s.puzzle_identifiers);
      add_list("puzzle_indices", s.puzzle_indices);
      add_list("group_indices", s.group_indices);
      examples += s.inputs.rows();
      m.total_puzzles += s.puzzles();
      m.total_groups += static_cast<std::int64_t>(s.group_indices.size()) - 1;
    }
    if (m.total_puzzles > 0) {
      m.mean_puzzle_examples = static_cast<double>(examples) / static_cast<double>(m.total_puzzles);
    }
    complete_ = true;
  }
  void put_arrays() {
    std::error_code absent;
    std::filesystem::remove(folder_ / "dataset.json", absent);
    for (set& s : sets_) {
      s.inputs.commit();
      s.labels.commit();
      for (npy_writer& list : s.lists) list.commit();
    }
  }

  std::filesystem::path folder_;
  dataset_metadata metadata_;
  std::vector<set> sets_;
  std::vector<std::int32_t> labels_;
  bool complete_ = false, committed_ = false;
};

}  // namespace trm
