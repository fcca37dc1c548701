// SPDX-License-Identifier: MIT
// The samples that are being worked on: their data, their steps, and what the last step said of them.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "trm/ops/cross_entropy.hpp"
#include "trm/ops/halting.hpp"
#include "trm/train/batch.hpp"

namespace trm {

/// The ACT state of a batch (arXiv 2510.04871): a sample that halted takes the example offered at its position at the next
/// step, the others keep theirs. All memory is taken when it is made.
class samples {
 public:
  samples() = default;
  samples(int count, int tokens, int puzzle_positions)
      : count_(count), tokens_(tokens), puzzle_positions_(puzzle_positions), inputs(count * tokens), labels(count * tokens, ignored_label),
        puzzle_identifiers(count), lengths(count), prefixes(count), steps(count), predictions(count * tokens), halted(count, 1),
        reset(count, 1), tokens_result(count), halting(count) {}

  int count() const { return count_; }
  int tokens() const { return tokens_; }

  /// The step begins: halted samples take their example of `b` (already checked); `reset` says which.
  void offer(const batch& b) {
    reset = halted;
    padded = padded || !b.lengths.empty();
    prefixed = prefixed || !b.prefixes.empty();
    for (int i = 0; i < count_; ++i) {
      if (halted[at(i)] != 0) take(b, i, i);
      ++steps[at(i)];
    }
  }
  /// Sample `i` becomes example `from` of `b`, with no steps done.
  void take(const batch& b, int i, int from) {
    const auto s = static_cast<std::ptrdiff_t>(tokens_);
    std::copy_n(b.inputs.begin() + from * s, s, inputs.begin() + i * s);
    if (b.labels.empty()) {
      std::fill_n(labels.begin() + i * s, s, ignored_label);
    } else {
      std::copy_n(b.labels.begin() + from * s, s, labels.begin() + i * s);
    }
    puzzle_identifiers[at(i)] = b.puzzle_identifiers.empty() ? 0 : b.puzzle_identifiers[at(from)];
    lengths[at(i)] = puzzle_positions_ + (b.lengths.empty() ? tokens_ : b.lengths[at(from)]);
    prefixes[at(i)] = puzzle_positions_ + (b.prefixes.empty() ? 0 : b.prefixes[at(from)]);
    steps[at(i)] = 0;
  }
  /// Rows that count and rows of the prefix, puzzle positions included; null where no batch had any.
  const int* lengths_from(int i) const { return padded ? lengths.data() + i : nullptr; }
  const int* prefixes_from(int i) const { return prefixed ? prefixes.data() + i : nullptr; }

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  int count_ = 0, tokens_ = 0, puzzle_positions_ = 0;

 public:
  std::vector<int> inputs, labels;              // [B, S]
  std::vector<int> puzzle_identifiers;          // [B]
  std::vector<int> lengths, prefixes;           // [B] rows, puzzle positions included
  std::vector<int> steps;                       // [B] supervision steps done, the present one included
  std::vector<int> predictions;                 // [B, S]
  std::vector<unsigned char> halted, reset;     // [B]
  std::vector<token_result> tokens_result;      // [B]
  std::vector<halting_result> halting;          // [B]
  bool padded = false, prefixed = false;
};

}  // namespace trm
