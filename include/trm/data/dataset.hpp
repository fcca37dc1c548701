// SPDX-License-Identifier: MIT
// A TRM dataset on disk: in <path>/<split>/ a dataset.json and for every set the published arrays
// <set>__{inputs,labels,puzzle_identifiers,puzzle_indices,group_indices}.npy or their virtual form.
#pragma once
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/batch.hpp"
#include "trm/data/example_source.hpp"
#include "trm/data/row_source.hpp"
#include "trm/data/stored_rows.hpp"
#include "trm/data/virtual_set.hpp"
#include "trm/io/json.hpp"

namespace trm {

/// The name is a part of file names, and of messages: at most 200 bytes, no slash, no control character.
inline bool is_set_name(const std::string& name) {
  const auto allowed = [](char c) { return c != '/' && c != '\x7f' && static_cast<unsigned char>(c) >= ' '; };
  return !name.empty() && name.size() <= 200 && std::ranges::all_of(name, allowed);
}

/// Reads dataset.json. Keys that the format does not know are passed over.
inline dataset_metadata read_dataset_metadata(const std::filesystem::path& file) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  const json document = read_json(file);
  const json_field root(document, file.string());
  const auto int32 = [&](const char* key, std::int64_t least, std::int64_t limit) {
    return static_cast<std::int32_t>(root.at(key).integer(least, limit));
  };
  dataset_metadata m;
  m.vocab_size = int32("vocab_size", 1, most);
  m.seq_len = int32("seq_len", 1, most);
  m.num_puzzle_identifiers = int32("num_puzzle_identifiers", 1, most);
  m.pad_id = int32("pad_id", 0, m.vocab_size - 1);
  m.blank_identifier_id = int32("blank_identifier_id", 0, m.num_puzzle_identifiers - 1);
  if (!root.at("ignore_label_id").is_null()) m.ignore_label_id = int32("ignore_label_id", -most - 1, most);
  m.total_groups = root.at("total_groups").integer(0);
  m.total_puzzles = root.at("total_puzzles").integer(0);
  m.mean_puzzle_examples = root.at("mean_puzzle_examples").number(0);
  m.sets = root.at("sets").strings();
  for (std::size_t i = 0; i < m.sets.size(); ++i) {
    if (!is_set_name(m.sets[i])) root.at("sets").at(i).expected("the name of a set");
    if (std::count(m.sets.begin(), m.sets.end(), m.sets[i]) != 1) {
      root.at("sets").fail("\"" + detail::printable(m.sets[i]) + "\" occurs twice");
    }
  }
  if (m.sets.empty()) root.at("sets").expected("the names of the sets");
  return m;
}

/// One set of one path: an example_source. In its files (stored_rows) or in virtual form (virtual_set.hpp), which nothing
/// but the speed tells: indices are in memory and checked here, tokens are checked or made when they are read.
class dataset_set {
 public:
  /// \throws trm::error with the file where something is missing or malformed, or the set is there in both forms
  dataset_set(const std::filesystem::path& folder, std::string name, const dataset_metadata& m)
      : name_(std::move(name)), virtual_(is_virtual_set(folder, name_)) {
    opened_set set = virtual_ ? open_virtual_set(folder, name_, m) : open_stored_set(folder, name_, m);
    index_ = std::move(set.index);
    rows_ = std::move(set.rows);
  }

  const std::string& name() const { return name_; }  // such as "all"
  /// Whether rows are made when they are read.
  bool is_virtual() const { return virtual_; }
  std::int64_t rows() const { return index_.rows(); }        // examples, over all puzzles
  std::int64_t puzzles() const { return index_.puzzles(); }  // an augmented task each, over all groups
  std::int64_t groups() const { return index_.groups(); }    // tasks before augmentation
  /// Requires 0 <= group < groups(), 0 <= puzzle < puzzles(). The identifier is the puzzle's row in the table, 0 the
  /// blank one.
  index_range puzzles_of(std::int64_t group) const { return range(index_.group_indices, group); }
  // As above.
  index_range rows_of(std::int64_t puzzle) const { return range(index_.puzzle_indices, puzzle); }
  // As above.
  std::int32_t puzzle_identifier(std::int64_t puzzle) const {
    return index_.puzzle_identifiers[static_cast<std::size_t>(puzzle)];
  }

  /// Writes seq_len tokens each. Labels equal to ignore_label_id (or to ignored_label) become ignored_label. Throws
  /// trm::error with file and row where a token is outside [0, vocab_size).
  void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const { rows_->read(row, inputs, labels); }

 private:
  static index_range range(const std::vector<std::int64_t>& indices, std::int64_t i) {
    return {indices[static_cast<std::size_t>(i)], indices[static_cast<std::size_t>(i) + 1]};
  }

  std::string name_;
  bool virtual_;
  set_index index_;
  std::unique_ptr<const row_source> rows_;
};

/// One split of one or more data paths. Several paths must agree in everything that a model sees; identifiers are not
/// shifted, so the same identifier is the same puzzle in all of them.
class dataset {
 public:
  /// Reads <path>/<split>/ of every path. Throws trm::error where something is missing, inconsistent or different
  /// between paths.
  static dataset open(const std::vector<std::filesystem::path>& paths, const std::string& split) {
    if (paths.empty()) throw error("dataset", "no data path given");
    dataset d;
    std::vector<dataset_metadata> each;
    for (const auto& path : paths) {
      const auto file = path / split / "dataset.json";
      each.push_back(read_dataset_metadata(file));
      if (each.size() == 1) {
        d.metadata_ = each[0];
      } else {
        d.merge(each.back(), file.string());
      }
    }
    std::vector<std::int64_t> groups(paths.size());
    for (const std::string& name : d.metadata_.sets) {
      for (std::size_t p = 0; p < paths.size(); ++p) {
        d.sources_.emplace_back(paths[p] / split, name, d.metadata_);
        groups[p] += d.sources_.back().groups();
      }
    }
    for (std::size_t p = 0; p < paths.size(); ++p) {
      if (groups[p] != each[p].total_groups) {
        throw error(
            (paths[p] / split / "dataset.json").string(),
            "total_groups is " + std::to_string(each[p].total_groups) + ", the sets hold " + std::to_string(groups[p]));
      }
    }
    return d;
  }
  static dataset open(const std::filesystem::path& path, const std::string& split) {
    return open(std::vector<std::filesystem::path>{path}, split);
  }

  /// Of all paths together: total_groups and total_puzzles summed, mean_puzzle_examples weighted by total_puzzles.
  const dataset_metadata& metadata() const { return metadata_; }
  /// In the order in which they are read: the first set of every path, the second set of every path, ...
  std::span<const dataset_set> sources() const { return sources_; }

 private:
  void merge(const dataset_metadata& m, const std::string& file) {
    const auto same = [&](const char* key, const auto& first, const auto& here) {
      if (!(first == here)) throw error(file, "\"" + std::string(key) + "\" differs from the first data path's");
    };
    same("seq_len", metadata_.seq_len, m.seq_len);
    same("vocab_size", metadata_.vocab_size, m.vocab_size);
    same("pad_id", metadata_.pad_id, m.pad_id);
    same("ignore_label_id", metadata_.ignore_label_id, m.ignore_label_id);
    same("blank_identifier_id", metadata_.blank_identifier_id, m.blank_identifier_id);
    same("num_puzzle_identifiers", metadata_.num_puzzle_identifiers, m.num_puzzle_identifiers);
    same("sets", metadata_.sets, m.sets);
    const auto before = static_cast<double>(metadata_.total_puzzles), here = static_cast<double>(m.total_puzzles);
    if (before + here > 0) {
      metadata_.mean_puzzle_examples =
          (metadata_.mean_puzzle_examples * before + m.mean_puzzle_examples * here) / (before + here);
    }
    if (__builtin_add_overflow(metadata_.total_puzzles, m.total_puzzles, &metadata_.total_puzzles) ||
        __builtin_add_overflow(metadata_.total_groups, m.total_groups, &metadata_.total_groups)) {
      throw error(file, "total_groups or total_puzzles overflows");
    }
  }

  dataset() = default;
  dataset_metadata metadata_;
  std::vector<dataset_set> sources_;
};

}  // namespace trm
