// SPDX-License-Identifier: MIT
// The published TRM dataset on disk: in <path>/<split>/ a dataset.json and for every set
// <set>__{inputs,labels,puzzle_identifiers,puzzle_indices,group_indices}.npy.
#pragma once
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/batch.hpp"
#include "trm/data/example_source.hpp"
#include "trm/io/json.hpp"
#include "trm/io/npy.hpp"

namespace trm {

/// The name is a part of file names.
inline bool is_set_name(const std::string& name) {
  return !name.empty() && name.find('/') == name.npos && name.find('\0') == name.npos;
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

/// One set of one path: an example_source. Tokens are mapped and checked when read, indices are in memory and checked
/// here.
class dataset_set {
 public:
  dataset_set(const std::filesystem::path& folder, std::string name, const dataset_metadata& m)
      : name_(std::move(name)),
        vocab_size_(m.vocab_size),
        seq_len_(m.seq_len),
        ignore_label_id_(m.ignore_label_id.value_or(ignored_label)),
        inputs_(npy_file::open(file(folder, "inputs"))),
        labels_(npy_file::open(file(folder, "labels"))) {
    for (const npy_file* f : {&inputs_, &labels_}) {
      if (f->shape().size() < 2 || f->row_size() != static_cast<std::size_t>(seq_len_)) {
        throw error(f->path().string(), "expected rows of seq_len " + std::to_string(seq_len_) + " tokens");
      }
      if (is_float(f->type()))
        throw error(f->path().string(), "expected integers, found " + std::string(name_of(f->type())));
    }
    if (labels_.rows() != inputs_.rows()) disagree(labels_.path(), labels_.rows(), "rows of inputs", inputs_.rows());
    puzzle_indices_ = read_indices(file(folder, "puzzle_indices"), inputs_.rows(), "rows", false);
    group_indices_ = read_indices(file(folder, "group_indices"), puzzles(), "puzzles", true);
    const npy_file identifiers = open_list(file(folder, "puzzle_identifiers"));
    puzzle_identifiers_ = identifiers.read<std::int32_t>();
    if (identifiers.rows() != puzzles()) disagree(identifiers.path(), identifiers.rows(), "puzzles", puzzles());
    for (std::size_t i = 0; i < puzzle_identifiers_.size(); ++i) {
      if (puzzle_identifiers_[i] < 0 || puzzle_identifiers_[i] >= m.num_puzzle_identifiers) {
        throw error(identifiers.path().string(),
                    "puzzle " + std::to_string(i) + " has identifier " + std::to_string(puzzle_identifiers_[i]) +
                        ", dataset.json says there are " + std::to_string(m.num_puzzle_identifiers));
      }
    }
  }

  const std::string& name() const { return name_; }
  std::int64_t rows() const { return inputs_.rows(); }
  std::int64_t puzzles() const { return static_cast<std::int64_t>(puzzle_indices_.size()) - 1; }
  std::int64_t groups() const { return static_cast<std::int64_t>(group_indices_.size()) - 1; }
  index_range puzzles_of(std::int64_t group) const { return range(group_indices_, group); }
  index_range rows_of(std::int64_t puzzle) const { return range(puzzle_indices_, puzzle); }
  std::int32_t puzzle_identifier(std::int64_t puzzle) const {
    return puzzle_identifiers_[static_cast<std::size_t>(puzzle)];
  }

  /// Writes seq_len tokens each. Labels equal to ignore_label_id (or to ignored_label) become ignored_label. Throws
  /// trm::error with file and row where a token is outside [0, vocab_size).
  void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const {
    const auto n = static_cast<std::size_t>(seq_len_);
    inputs_.read_row(row, std::span(inputs, n));
    labels_.read_row(row, std::span(labels, n));
    for (std::size_t i = 0; i < n; ++i) {
      if (labels[i] == ignore_label_id_) labels[i] = ignored_label;
      if (outside(inputs[i])) bad_token(inputs_, row, i, inputs[i]);
      if (outside(labels[i]) && labels[i] != ignored_label) bad_token(labels_, row, i, labels[i]);
    }
  }

 private:
  std::filesystem::path file(const std::filesystem::path& folder, const char* field) const {
    return folder / (name_ + "__" + field + ".npy");
  }
  static index_range range(const std::vector<std::int64_t>& indices, std::int64_t i) {
    return {indices[static_cast<std::size_t>(i)], indices[static_cast<std::size_t>(i) + 1]};
  }
  static npy_file open_list(const std::filesystem::path& path) {
    npy_file f = npy_file::open(path);
    if (f.shape().size() != 1) throw error(path.string(), "expected an array of one dimension");
    return f;
  }
  [[noreturn]] static void disagree(const std::filesystem::path& path, std::int64_t found, const char* what,
                                    std::int64_t wanted) {
    throw error(path.string(),
                "ends at " + std::to_string(found) + ", but there are " + std::to_string(wanted) + " " + what);
  }
  /// Boundaries 0 = i[0] <= i[1] <= ... = end; `filled`: nothing may be empty.
  static std::vector<std::int64_t> read_indices(const std::filesystem::path& path, std::int64_t end, const char* what,
                                                bool filled) {
    std::vector<std::int64_t> indices = open_list(path).read<std::int64_t>();
    if (indices.empty() || indices.front() != 0) throw error(path.string(), "expected to begin with 0");
    for (std::size_t i = 1; i < indices.size(); ++i) {
      if (indices[i] < indices[i - 1] || (filled && indices[i] == indices[i - 1])) {
        throw error(path.string(), "element " + std::to_string(i) + " is " + std::to_string(indices[i]) + " after " +
                                       std::to_string(indices[i - 1]) + (filled ? ": a group without puzzles" : ""));
      }
    }
    if (indices.back() != end) disagree(path, indices.back(), what, end);
    return indices;
  }
  bool outside(std::int32_t token) const { return token < 0 || token >= vocab_size_; }
  [[noreturn]] void bad_token(const npy_file& f, std::int64_t row, std::size_t position, std::int32_t token) const {
    throw error(f.path().string(), "row " + std::to_string(row) + ", position " + std::to_string(position) +
                                       ": token " + std::to_string(token) + " outside the vocabulary of " +
                                       std::to_string(vocab_size_));
  }

  std::string name_;
  std::int32_t vocab_size_, seq_len_, ignore_label_id_;
  npy_file inputs_, labels_;
  std::vector<std::int64_t> puzzle_indices_, group_indices_;
  std::vector<std::int32_t> puzzle_identifiers_;
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
