// SPDX-License-Identifier: MIT
// A batch of examples: token inputs, token labels and puzzle identifiers.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trm/core/ignored_label.hpp"

namespace trm {

struct batch;

/// Which part of every global batch a process holds: rows [index, index + 1) * batch / count.
struct shard {
  std::int32_t index = 0, count = 1;
};

/// Memory for B examples of S tokens.
struct batch_view {
  std::span<std::int32_t> inputs;              // [B, S]
  std::span<std::int32_t> labels;              // [B, S]
  std::span<std::int32_t> puzzle_identifiers;  // [B]

  /// As trainers and solvers take it (trm/train/batch.hpp): refers to the same memory; without lengths and prefixes.
  template <std::same_as<batch> To>
  constexpr operator To() const {  // a template because a batch is not complete here
    return {inputs, labels, puzzle_identifiers};
  }
};

/// Owns what a batch_view refers to.
class batch_memory {
 public:
  /// For so many samples of so many tokens.
  batch_memory(std::int32_t batch, std::int32_t seq_len)
      : inputs_(static_cast<std::size_t>(batch) * static_cast<std::size_t>(seq_len)),
        labels_(inputs_.size()),
        puzzle_identifiers_(static_cast<std::size_t>(batch)) {}
  batch_view view() { return {inputs_, labels_, puzzle_identifiers_}; }  // valid while this object is

 private:
  std::vector<std::int32_t> inputs_, labels_, puzzle_identifiers_;
};

}  // namespace trm
