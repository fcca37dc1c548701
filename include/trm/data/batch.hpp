// SPDX-License-Identifier: MIT
// A batch of examples: token inputs, token labels and puzzle identifiers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trm/core/ignored_label.hpp"

namespace trm {

/// Which part of every global batch a process holds: rows [index, index + 1) * batch / count.
struct shard {
  std::int32_t index = 0, count = 1;
};

/// Memory for B examples of S tokens.
struct batch_view {
  std::span<std::int32_t> inputs;              // [B, S]
  std::span<std::int32_t> labels;              // [B, S]
  std::span<std::int32_t> puzzle_identifiers;  // [B]
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
