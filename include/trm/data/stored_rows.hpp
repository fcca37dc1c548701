// SPDX-License-Identifier: MIT
// The published files of one set: <set>__{inputs,labels,puzzle_identifiers,puzzle_indices,group_indices}.npy.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/row_source.hpp"
#include "trm/io/npy.hpp"

namespace trm {

/// Rows of two mapped arrays of any integer type. Tokens are checked when they are read.
class stored_rows final : public row_source {
 public:
  stored_rows(const std::filesystem::path& inputs, const std::filesystem::path& labels, const dataset_metadata& m)
      : vocab_size_(m.vocab_size),
        seq_len_(m.seq_len),
        ignore_label_id_(m.ignore_label_id.value_or(ignored_label)),
        inputs_(npy_file::open(inputs)),
        labels_(npy_file::open(labels)) {
    for (const npy_file* f : {&inputs_, &labels_}) {
      if (f->shape().size() < 2 || f->row_size() != static_cast<std::size_t>(seq_len_)) {
        throw error(f->path().string(), "expected rows of seq_len " + std::to_string(seq_len_) + " tokens");
      }
      if (is_float(f->type()))
        throw error(f->path().string(), "expected integers, found " + std::string(name_of(f->type())));
    }
    if (labels_.rows() != inputs_.rows()) {
      detail::throw_disagreement(labels_.path().string(), labels_.rows(), "rows of inputs", inputs_.rows());
    }
  }

  std::int64_t rows() const { return inputs_.rows(); }

  /// \throws trm::error with file, row and position where a token is outside the vocabulary
  void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const override {
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
  bool outside(std::int32_t token) const { return token < 0 || token >= vocab_size_; }
  [[noreturn]] void bad_token(const npy_file& f, std::int64_t row, std::size_t position, std::int32_t token) const {
    throw error(f.path().string(), "row " + std::to_string(row) + ", position " + std::to_string(position) +
                                       ": token " + std::to_string(token) + " outside the vocabulary of " +
                                       std::to_string(vocab_size_));
  }

  std::int32_t vocab_size_, seq_len_, ignore_label_id_;
  npy_file inputs_, labels_;
};

/// Opens the five files of a set; indices are read and checked, tokens mapped.
inline opened_set open_stored_set(const std::filesystem::path& folder, const std::string& set,
                                  const dataset_metadata& m) {
  const auto file = [&](const char* field) { return folder / (set + "__" + field + ".npy"); };
  const auto open_list = [](const std::filesystem::path& path) {
    npy_file f = npy_file::open(path);
    if (f.shape().size() != 1) throw error(path.string(), "expected an array of one dimension");
    return f;
  };
  auto rows = std::make_unique<stored_rows>(file("inputs"), file("labels"), m);
  set_index index;
  index.puzzle_indices = open_list(file("puzzle_indices")).read<std::int64_t>();
  detail::check_boundaries(file("puzzle_indices").string(), index.puzzle_indices, rows->rows(), "rows", false);
  index.group_indices = open_list(file("group_indices")).read<std::int64_t>();
  detail::check_boundaries(file("group_indices").string(), index.group_indices, index.puzzles(), "puzzles", true);
  index.puzzle_identifiers = open_list(file("puzzle_identifiers")).read<std::int32_t>();
  detail::check_identifiers(file("puzzle_identifiers").string(), index.puzzle_identifiers, index.puzzles(),
                            m.num_puzzle_identifiers);
  return {std::move(index), std::move(rows)};
}

}  // namespace trm
