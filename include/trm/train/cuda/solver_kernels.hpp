// SPDX-License-Identifier: MIT
// What a solver does with its samples between steps, on the device.
#pragma once
#include <cstddef>
#include <cstdint>

#include "trm/backend/cuda/block.hpp"
#include "trm/core/random.hpp"

namespace trm::cuda::detail {

/// Samples take the places of others: element e of the k-th is element e of number which[k], which are in increasing order, so a thread
/// that goes through all of them overwrites nothing that it still needs. A thread an element.
template <class T>
struct move_samples_kernel {
  T* values;         // [samples][extent]
  const int* which;  // [count]
  int count;
  std::ptrdiff_t extent;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const std::ptrdiff_t e = static_cast<std::ptrdiff_t>(b.index()) * b.threads() + b.thread();
    if (e >= extent) return;
    for (int k = 0; k < count; ++k) {
      if (which[k] != k) values[k * extent + e] = values[which[k] * extent + e];
    }
  }
};

/// v += deviation * a standard normal draw, element `first + i` of the draws for v_i. A thread an element.
template <class T>
struct add_noise_kernel {
  T* values;
  std::ptrdiff_t count;
  double deviation;
  draws from;
  std::uint64_t first;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const std::ptrdiff_t e = static_cast<std::ptrdiff_t>(b.index()) * b.threads() + b.thread();
    if (e >= count) return;
    const double noise = from.normal(first + static_cast<std::uint64_t>(e));
    values[e] = T(static_cast<float>(static_cast<double>(values[e]) + deviation * noise));
  }
};

/// One more step of each sample begins. A thread a sample.
struct count_step_kernel {
  int* steps;
  int count;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const int i = b.index() * b.threads() + b.thread();
    if (i < count) ++steps[i];
  }
};

}  // namespace trm::cuda::detail
