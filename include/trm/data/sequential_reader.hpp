// SPDX-License-Identifier: MIT
// Evaluation order: every example once, in the order in which it is stored.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "trm/core/error.hpp"
#include "trm/data/batch.hpp"
#include "trm/data/example_source.hpp"

namespace trm {

/// What a batch of a sequential_reader holds: rows [first_row, first_row + rows) of a source, then padding.
struct sequential_part {
  std::size_t source = 0;
  std::int64_t first_row = 0;
  std::int64_t rows = 0;
};

/// Reads all examples of all sources in order. A batch never spans two sources; what a source leaves of its last
/// batch is padded with pad_id inputs, ignored labels and the blank identifier.
template <example_source Source>
class sequential_reader {
 public:
  /// `batch` is global; every shard is asked for the same number of batches. At most `max_batches` batches are read.
  sequential_reader(std::span<const Source> sources, const dataset_metadata& data, std::int32_t batch, shard part = {},
                    std::int64_t max_batches = std::numeric_limits<std::int64_t>::max())
      : sources_(sources),
        seq_len_(data.seq_len),
        pad_id_(data.pad_id),
        blank_identifier_id_(data.blank_identifier_id),
        batch_(batch),
        part_(part),
        left_(max_batches) {
    if (batch < 1 || part.count < 1 || part.index < 0 || part.index >= part.count || batch % part.count != 0) {
      throw error("sequential reader", "the batch of " + std::to_string(batch) +
                                           " must be a multiple of the number of processes, " +
                                           std::to_string(part.count));
    }
  }

  /// Fills this process's part of the next batch. False, and `out` untouched, at the end.
  bool next(const batch_view& out, sequential_part& held) {
    while (source_ < sources_.size() && row_ >= sources_[source_].rows()) {
      ++source_;
      row_ = 0;
      puzzle_ = 0;
    }
    if (source_ == sources_.size() || left_ <= 0) return false;
    const std::int64_t local = batch_ / part_.count;
    const auto n = static_cast<std::size_t>(local), tokens = static_cast<std::size_t>(seq_len_);
    if (out.inputs.size() != n * tokens || out.labels.size() != n * tokens || out.puzzle_identifiers.size() != n) {
      throw error("sequential reader",
                  "the batch given has another size than " + std::to_string(n) + " x " + std::to_string(tokens));
    }
    const Source& s = sources_[source_];
    const std::int64_t end = s.rows();
    const std::int64_t first = std::min(end, row_ + part_.index * local);
    held = {source_, first, std::min(end - first, local)};
    for (std::int64_t i = 0; i < held.rows; ++i) {
      while (first + i >= index_range(s.rows_of(puzzle_)).last) ++puzzle_;
      const std::size_t at = static_cast<std::size_t>(i) * tokens;
      s.read(first + i, out.inputs.data() + at, out.labels.data() + at);
      out.puzzle_identifiers[static_cast<std::size_t>(i)] = s.puzzle_identifier(puzzle_);
    }
    const auto real = static_cast<std::size_t>(held.rows);
    std::ranges::fill(out.inputs.subspan(real * tokens), pad_id_);
    std::ranges::fill(out.labels.subspan(real * tokens), ignored_label);
    std::ranges::fill(out.puzzle_identifiers.subspan(real), blank_identifier_id_);
    row_ += std::min<std::int64_t>(batch_, end - row_);
    --left_;
    return true;
  }

 private:
  std::span<const Source> sources_;
  std::int32_t seq_len_, pad_id_, blank_identifier_id_, batch_;
  shard part_;
  std::int64_t left_;
  std::size_t source_ = 0;
  std::int64_t row_ = 0, puzzle_ = 0;
};

}  // namespace trm
