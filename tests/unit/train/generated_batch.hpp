// SPDX-License-Identifier: MIT
// A batch of random tokens with its memory.
#pragma once
#include <cstdint>
#include <vector>

#include "trm/core/random.hpp"
#include "trm/train/batch.hpp"

namespace trm_test {

/// Tokens and labels of Model, every fourth label not supervised; identifiers below `identifiers`, some of them equal.
struct generated_batch {
  std::vector<int> inputs, labels, identifiers, lengths, prefixes;

  generated_batch(int samples, int tokens, int vocab, int puzzle_identifiers, std::uint64_t seed) {
    const trm::philox random{seed};
    const trm::draws token = random.at(trm::purpose::user), label = random.at(trm::purpose::user, 1);
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(samples * tokens); ++i) {
      inputs.push_back(static_cast<int>(token.below(static_cast<std::uint64_t>(vocab), i)));
      labels.push_back(i % 4 == 3 ? trm::ignored_label
                                  : static_cast<int>(label.below(static_cast<std::uint64_t>(vocab), i)));
    }
    for (int i = 0; i < samples && puzzle_identifiers > 0; ++i) {
      identifiers.push_back(
          static_cast<int>(random.at(trm::purpose::user, 2)
                               .below(static_cast<std::uint64_t>(puzzle_identifiers), static_cast<std::uint64_t>(i))));
    }
  }
  trm::batch view() const { return {inputs, labels, identifiers, lengths, prefixes}; }
};

template <class Model>
generated_batch batch_for(int samples, std::uint64_t seed, int identifiers = 5) {
  return {samples, Model::S, Model::V, Model::W > 0 ? identifiers : 0, seed};
}

}  // namespace trm_test
