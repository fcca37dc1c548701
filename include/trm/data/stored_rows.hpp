// SPDX-License-Identifier: MIT
// The published files of one set: <set>__{inputs,labels,puzzle_identifiers,puzzle_indices,group_indices}.npy.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/memory_limit.hpp"
#include "trm/data/row_source.hpp"
#include "trm/io/npy.hpp"

namespace trm {
namespace detail {

/// Tells the kernel how a mapped array larger than memory is read. Left alone it reads far around every page that is missing, and
/// for rows in random order drops as much that is still wanted: a batch is then read hundreds of times. Rows that are read
/// one after another are asked for in advance. Nothing depends on the advice but the speed.
class read_advice {
 public:
  read_advice(std::initializer_list<const npy_file*> arrays, std::uint64_t memory) {
    std::uint64_t bytes = 0;
    for (const npy_file* array : arrays) bytes += array->bytes().size();
    if (bytes <= memory / 2) return;
    for (const npy_file* array : arrays) {
      arrays_.push_back(array->bytes());
      advise(array->bytes(), MADV_RANDOM);
    }
  }

  bool given() const { return !arrays_.empty(); }
  /// Of `rows`, by several threads. Rows that are close_by to each other count as one after another.
  void reads(std::int64_t row, std::int64_t rows) const {
    if (!given()) return;
    const std::int64_t step = row - last_.exchange(row, std::memory_order_relaxed);
    if (step < -close_by || step > close_by) {
      run_.store(0, std::memory_order_relaxed);
    } else if (run_.fetch_add(1, std::memory_order_relaxed) % (ahead / 2) == 4 * close_by) {
      for (const std::span<const std::byte> array : arrays_) {
        const std::size_t width = array.size() / static_cast<std::size_t>(rows);
        const std::int64_t count = std::min(ahead, rows - row);
        advise(array.subspan(static_cast<std::size_t>(row) * width, static_cast<std::size_t>(count) * width),
               MADV_WILLNEED);
      }
    }
  }

 private:
  static constexpr std::int64_t close_by = 16, ahead = 2048;  // rows

  static void advise(std::span<const std::byte> bytes, int advice) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t before = reinterpret_cast<std::uintptr_t>(bytes.data()) % page;
    ::madvise(const_cast<std::byte*>(bytes.data()) - before, bytes.size() + before, advice);
  }

  std::vector<std::span<const std::byte>> arrays_;
  mutable std::atomic<std::int64_t> last_{-1}, run_{0};
};

}  // namespace detail

/// Rows of two mapped arrays of any integer type. Tokens are checked when they are read.
class stored_rows final : public row_source {
 public:
  /// Maps two .npy files of [rows, seq_len]. Throws trm::error where a file does not fit the metadata or the other.
  stored_rows(const std::filesystem::path& inputs, const std::filesystem::path& labels, const dataset_metadata& m)
      : vocab_size_(m.vocab_size),
        seq_len_(m.seq_len),
        ignore_label_id_(m.ignore_label_id.value_or(ignored_label)),
        inputs_(npy_file::open(inputs)),
        labels_(npy_file::open(labels)),
        advice_({&inputs_, &labels_}, memory_limit()) {
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

  std::int64_t rows() const { return inputs_.rows(); }  // examples of the files

  /// \throws trm::error with file, row and position where a token is outside the vocabulary
  void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const override {
    const auto n = static_cast<std::size_t>(seq_len_);
    inputs_.read_row(row, std::span(inputs, n));
    labels_.read_row(row, std::span(labels, n));
    advice_.reads(row, rows());
    // Without branches and with nothing that a store could change, so that compilers make it one pass over vectors.
    const auto vocabulary = static_cast<std::uint32_t>(vocab_size_);
    const std::int32_t ignore = ignore_label_id_;
    unsigned bad = 0;
    for (std::size_t i = 0; i < n; ++i) {
      bad |= static_cast<std::uint32_t>(inputs[i]) >= vocabulary ? 1u : 0u;
    }
    for (std::size_t i = 0; i < n; ++i) {
      const std::int32_t label = labels[i] == ignore ? ignored_label : labels[i];
      bad |= label != ignored_label && static_cast<std::uint32_t>(label) >= vocabulary ? 1u : 0u;
      labels[i] = label;
    }
    if (bad != 0) refuse(row, inputs, labels);
  }

 private:
  [[noreturn]] void refuse(std::int64_t row, const std::int32_t* inputs, const std::int32_t* labels) const {
    for (std::size_t i = 0;; ++i) {
      if (outside(inputs[i])) bad_token(inputs_, row, i, inputs[i]);
      if (outside(labels[i]) && labels[i] != ignored_label) bad_token(labels_, row, i, labels[i]);
    }
  }
  bool outside(std::int32_t token) const { return token < 0 || token >= vocab_size_; }
  [[noreturn]] void bad_token(const npy_file& f, std::int64_t row, std::size_t position, std::int32_t token) const {
    throw error(f.path().string(), "row " + std::to_string(row) + ", position " + std::to_string(position) +
                                       ": token " + std::to_string(token) + " outside the vocabulary of " +
                                       std::to_string(vocab_size_));
  }

  std::int32_t vocab_size_, seq_len_, ignore_label_id_;
  npy_file inputs_, labels_;
  detail::read_advice advice_;
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
