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
struct samples {
  samples() = default;
  /// Of `count` samples, all halted: the first step takes new ones.
  samples(int count_, int tokens_, int puzzle_positions_)
      : count(count_),
        tokens(tokens_),
        puzzle_positions(puzzle_positions_),
        inputs(count * tokens),
        labels(count * tokens, ignored_label),
        puzzle_identifiers(count),
        lengths(count),
        prefixes(count),
        steps(count),
        predictions(count * tokens),
        halted(count, 1),
        reset(count, 1),
        token_results(count),
        halting(count) {}

  /// The step begins: halted samples take their example of `b` (already checked); `reset` says which.
  void offer(const batch& b) {
    reset = halted;
    padded = padded || !b.lengths.empty();
    prefixed = prefixed || !b.prefixes.empty();
    for (int i = 0; i < count; ++i) {
      if (halted[at(i)] != 0) take(b, i, i);
      ++steps[at(i)];
    }
  }
  /// Sample `i` becomes example `from` of `b`, with no steps done.
  void take(const batch& b, int i, int from) {
    const auto s = static_cast<std::ptrdiff_t>(tokens);
    std::copy_n(b.inputs.begin() + from * s, s, inputs.begin() + i * s);
    if (b.labels.empty()) {
      std::fill_n(labels.begin() + i * s, s, ignored_label);
    } else {
      std::copy_n(b.labels.begin() + from * s, s, labels.begin() + i * s);
    }
    puzzle_identifiers[at(i)] = b.puzzle_identifiers.empty() ? 0 : b.puzzle_identifiers[at(from)];
    lengths[at(i)] = puzzle_positions + (b.lengths.empty() ? tokens : b.lengths[at(from)]);
    prefixes[at(i)] = puzzle_positions + (b.prefixes.empty() ? 0 : b.prefixes[at(from)]);
    steps[at(i)] = 0;
  }
  /// Sample `to` becomes what sample `from` is: data and steps.
  void move(int from, int to) {
    if (from == to) return;
    const auto s = static_cast<std::ptrdiff_t>(tokens);
    std::copy_n(inputs.begin() + from * s, s, inputs.begin() + to * s);
    std::copy_n(labels.begin() + from * s, s, labels.begin() + to * s);
    puzzle_identifiers[at(to)] = puzzle_identifiers[at(from)];
    lengths[at(to)] = lengths[at(from)], prefixes[at(to)] = prefixes[at(from)];
    steps[at(to)] = steps[at(from)];
    halted[at(to)] = halted[at(from)], reset[at(to)] = reset[at(from)];
  }
  /// Of one sample: it becomes, with its results, what sample `from` of others is.
  void show(const samples& others, int from) {
    const auto s = static_cast<std::ptrdiff_t>(tokens);
    std::copy_n(others.inputs.begin() + from * s, s, inputs.begin());
    std::copy_n(others.labels.begin() + from * s, s, labels.begin());
    std::copy_n(others.predictions.begin() + from * s, s, predictions.begin());
    puzzle_identifiers[0] = others.puzzle_identifiers[at(from)];
    steps[0] = others.steps[at(from)];
    token_results[0] = others.token_results[at(from)], halting[0] = others.halting[at(from)];
  }
  /// Rows that count and rows of the prefix, puzzle positions included; null where no batch had any.
  const int* lengths_from(int i) const { return padded ? lengths.data() + i : nullptr; }
  /// The same for the rows that are seen under the prefix mask.
  const int* prefixes_from(int i) const { return prefixed ? prefixes.data() + i : nullptr; }

  int count = 0, tokens = 0, puzzle_positions = 0;  // B, S, P
  std::vector<int> inputs, labels;                  // [B, S]
  std::vector<int> puzzle_identifiers;              // [B]
  std::vector<int> lengths, prefixes;               // [B] rows, puzzle positions included
  std::vector<int> steps;                           // [B] supervision steps done, the present one included
  std::vector<int> predictions;                     // [B, S]
  std::vector<unsigned char> halted, reset;         // [B]
  std::vector<token_result> token_results;          // [B]
  std::vector<halting_result> halting;              // [B]
  bool padded = false, prefixed = false;            // do `lengths`, do `prefixes` say anything?

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
};

}  // namespace trm
