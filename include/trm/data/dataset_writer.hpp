// SPDX-License-Identifier: MIT
// Writes the published TRM dataset format, example by example.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "trm/data/dataset.hpp"

namespace trm {

/// One split of a dataset:
///   dataset_writer w("data/my-task", "train", {.vocab_size = 11, .seq_len = 81});
///   for (each group) { for (each puzzle) { w.add(inputs, labels); ...; w.end_puzzle(identifier); } w.end_group(); }
///   w.commit();
/// Examples stream to disk, indices are kept in memory. Nothing is in its place before commit(), which writes dataset.json last.
class dataset_writer {
 public:
  /// Of `metadata` the counts and the sets are ignored: they are counted. Tokens are stored as uint8 where the vocabulary allows,
  /// otherwise as int32. Throws trm::error where the folder <path>/<split> cannot be made.
  dataset_writer(const std::filesystem::path& path, const std::string& split, dataset_metadata metadata,
                 std::string set = "all")
      : folder_(path / split), metadata_(std::move(metadata)) {
    const dataset_metadata& m = metadata_;
    if (m.seq_len < 1 || m.vocab_size < 1 || m.num_puzzle_identifiers < 1 || m.pad_id < 0 || m.pad_id >= m.vocab_size ||
        m.blank_identifier_id < 0 || m.blank_identifier_id >= m.num_puzzle_identifiers) {
      throw error(folder_.string(), "seq_len, vocab_size, pad_id or the identifiers are out of range");
    }
    metadata_.total_groups = metadata_.total_puzzles = 0;
    metadata_.sets.clear();
    std::error_code failed;
    std::filesystem::create_directories(folder_, failed);
    if (failed) throw error(folder_.string(), "cannot create the folder: " + failed.message());
    begin_set(std::move(set));
  }

  /// Ends the current set and begins another.
  void begin_set(std::string name) {
    if (open_) end_set();
    if (name.empty() || name.find('/') != name.npos ||
        std::count(metadata_.sets.begin(), metadata_.sets.end(), name) != 0) {
      throw error(folder_.string(), "\"" + detail::printable(name) + "\" is not a name for a set, or was used before");
    }
    const element_type type = stored_type();
    const std::vector<std::int64_t> row{metadata_.seq_len};
    open_ = std::make_unique<streams>(
        streams{{folder_ / (name + "__inputs.npy"), type, row}, {folder_ / (name + "__labels.npy"), type, row}});
    metadata_.sets.push_back(std::move(name));
    puzzle_indices_.assign(1, 0);
    group_indices_.assign(1, 0);
    puzzle_identifiers_.clear();
    examples_ = 0;
  }

  /// One example of the current puzzle. Labels: tokens, or ignored_label, which is stored as ignore_label_id. Throws where a length
  /// is not seq_len or a token is outside the vocabulary.
  void add(std::span<const std::int32_t> inputs, std::span<const std::int32_t> labels) {
    require_open();
    const auto n = static_cast<std::size_t>(metadata_.seq_len);
    if (inputs.size() != n || labels.size() != n) fail_example("expected " + std::to_string(n) + " tokens");
    labels_.assign(labels.begin(), labels.end());
    for (std::size_t i = 0; i < n; ++i) {
      if (labels_[i] == ignored_label) {
        if (!metadata_.ignore_label_id) fail_example("an ignored label, but the dataset has no ignore_label_id");
        labels_[i] = *metadata_.ignore_label_id;
      } else if (outside(labels_[i])) {
        fail_example("label " + std::to_string(labels_[i]) + " outside the vocabulary");
      }
      if (outside(inputs[i])) fail_example("token " + std::to_string(inputs[i]) + " outside the vocabulary");
    }
    open_->inputs.append(inputs);
    open_->labels.append(std::span<const std::int32_t>(labels_));
    ++examples_;
  }
  /// The examples since the last puzzle are one puzzle with this identifier.
  void end_puzzle(std::int32_t identifier) {
    require_open();
    if (examples_ == puzzle_indices_.back()) fail_example("a puzzle without examples");
    if (examples_ > std::numeric_limits<std::int32_t>::max())
      fail_example("more examples than the format's int32 indices can count");
    if (identifier < 0 || identifier >= metadata_.num_puzzle_identifiers) {
      fail_example("identifier " + std::to_string(identifier) + " outside [0, " +
                   std::to_string(metadata_.num_puzzle_identifiers) + ")");
    }
    puzzle_indices_.push_back(static_cast<std::int32_t>(examples_));
    puzzle_identifiers_.push_back(identifier);
  }
  /// The puzzles since the last group are one group.
  void end_group() {
    require_open();
    const auto puzzles = static_cast<std::int32_t>(puzzle_identifiers_.size());
    if (puzzles == group_indices_.back()) fail_example("a group without puzzles");
    group_indices_.push_back(puzzles);
  }
  /// Puts every file in its place.
  void commit() {
    require_open();
    end_set();
    dataset_metadata& m = metadata_;
    m.mean_puzzle_examples =
        m.total_puzzles == 0 ? 0 : static_cast<double>(total_examples_) / static_cast<double>(m.total_puzzles);
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
    write_file(folder_ / "dataset.json", document.dump());
  }
  /// What commit() wrote.
  const dataset_metadata& metadata() const { return metadata_; }

 private:
  struct streams {
    npy_writer inputs, labels;
  };

  element_type stored_type() const {
    const std::int32_t ignore = metadata_.ignore_label_id.value_or(0);
    return metadata_.vocab_size <= 256 && ignore >= 0 && ignore < 256 ? element_type::u8 : element_type::i32;
  }
  bool outside(std::int32_t token) const { return token < 0 || token >= metadata_.vocab_size; }
  void require_open() const {
    if (!open_) throw error(folder_.string(), "the dataset was committed before, or writing it failed");
  }
  [[noreturn]] void fail_example(const std::string& what) const {
    throw error(folder_.string() + ": set " + metadata_.sets.back() + ": example " + std::to_string(examples_), what);
  }
  void end_set() {
    if (examples_ != puzzle_indices_.back()) fail_example("end_puzzle() is missing");
    if (static_cast<std::int32_t>(puzzle_identifiers_.size()) != group_indices_.back())
      fail_example("end_group() is missing");
    const std::unique_ptr<streams> done = std::move(open_);
    const auto list = [&](const char* field, const std::vector<std::int32_t>& values) {
      const auto count = static_cast<std::int64_t>(values.size());
      save_npy(folder_ / (metadata_.sets.back() + "__" + field + ".npy"), {count},
               std::span<const std::int32_t>(values));
    };
    done->inputs.commit();
    done->labels.commit();
    list("puzzle_identifiers", puzzle_identifiers_);
    list("puzzle_indices", puzzle_indices_);
    list("group_indices", group_indices_);
    metadata_.total_groups += static_cast<std::int64_t>(group_indices_.size()) - 1;
    metadata_.total_puzzles += static_cast<std::int64_t>(puzzle_identifiers_.size());
    total_examples_ += examples_;
  }

  std::filesystem::path folder_;
  dataset_metadata metadata_;
  std::unique_ptr<streams> open_;
  std::vector<std::int32_t> puzzle_indices_, group_indices_, puzzle_identifiers_, labels_;
  std::int64_t examples_ = 0, total_examples_ = 0;
};

}  // namespace trm
