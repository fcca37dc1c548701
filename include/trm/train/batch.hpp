// SPDX-License-Identifier: MIT
// A batch as a trainer or a solver takes it.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "trm/core/error.hpp"
#include "trm/ops/cross_entropy.hpp"

namespace trm {

/// Examples of B samples with S tokens each. `lengths` and `prefixes` count tokens; without them every token counts and there is no prefix.
struct batch {
  std::span<const int> inputs;              // [B, S], in [0, vocab)
  std::span<const int> labels;              // [B, S], in [0, vocab) or ignored_label; may be empty for a solver
  std::span<const int> puzzle_identifiers;  // [B]; may be empty for a model without puzzle rows
  std::span<const int> lengths = {};        // [B] tokens that are not padding, or empty
  std::span<const int> prefixes = {};       // [B] leading tokens that see each other (prefix mask), or empty
};

namespace detail {

inline void check_extent(const char* what, std::size_t found, std::size_t wanted, bool optional) {
  if (found == wanted || (optional && found == 0)) return;
  throw error(std::string("batch: ") + what,
              "expected " + std::to_string(wanted) + " numbers, found " + std::to_string(found));
}

inline void check_range(const char* what, std::span<const int> values, int low, int high, bool ignored) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int v = values[i];
    if ((v >= low && v < high) || (ignored && v == ignored_label)) continue;
    throw error(std::string("batch: ") + what + "[" + std::to_string(i) + "]",
                std::to_string(v) + " is not in [" + std::to_string(low) + ", " + std::to_string(high) + ")" +
                    (ignored ? " and not -100 (not supervised)" : ""));
  }
}

/// Throws where the batch does not fit `samples` samples of `tokens` tokens over `vocab` words and `identifiers` puzzle rows.
inline void check_batch(const batch& b, int samples, int tokens, int vocab, std::size_t identifiers,
                        bool labels_required) {
  const auto n = static_cast<std::size_t>(samples), s = static_cast<std::size_t>(tokens);
  check_extent("inputs", b.inputs.size(), n * s, false);
  check_extent("labels", b.labels.size(), n * s, !labels_required);
  check_extent("puzzle_identifiers", b.puzzle_identifiers.size(), n, identifiers == 0);
  check_extent("lengths", b.lengths.size(), n, true);
  check_extent("prefixes", b.prefixes.size(), n, true);
  check_range("inputs", b.inputs, 0, vocab, false);
  check_range("labels", b.labels, 0, vocab, true);
  if (identifiers > 0) check_range("puzzle_identifiers", b.puzzle_identifiers, 0, static_cast<int>(identifiers), false);
  check_range("lengths", b.lengths, 1, tokens + 1, false);
  check_range("prefixes", b.prefixes, 0, tokens + 1, false);
}

}  // namespace detail
}  // namespace trm
