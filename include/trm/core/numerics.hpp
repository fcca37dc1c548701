// SPDX-License-Identifier: MIT
// What each kind of memory is made of, for a given compute type.
#pragma once
#include <type_traits>

#include "trm/core/bf16.hpp"

namespace trm {

/// float32 for the 32- and 16-bit types, float64 for float64.
template <class T>
using accumulator = std::conditional_t<std::is_same_v<T, double>, double, float>;

/// Compute type T: float, bf16 or double. States, activations and logits are T; master weights, gradient sums,
/// optimizer moments, norm and softmax statistics are accumulator<T>.
template <class T>
struct numerics {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, bf16> || std::is_same_v<T, double>,
                "trm: the compute type must be float, trm::bf16 or double");
  using activation = T;  // states, activations, logits
  using master = accumulator<T>;
  using statistic = accumulator<T>;  // of norms and softmax
};

}  // namespace trm
