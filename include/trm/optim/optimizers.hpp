// SPDX-License-Identifier: MIT
// Dense optimizers: which moments they keep and how they step.
#pragma once
#include <cstddef>

#include "trm/ops/optimizer.hpp"

namespace trm {

/// The numbers of a dense optimizer.
struct optimizer_options {
  double learning_rate = 1e-4;
  double beta1 = 0.9, beta2 = 0.95;
  double weight_decay = 0.1;
  double epsilon = 1e-8;  // adamw only
};

/// AdamATan2 (arXiv 2407.05872) as published with TRM: scale-free, without the factor 4/pi.
struct adam_atan2 {
  static constexpr const char* name = "adam_atan2";
  template <class B, class T>
  static void step(B& backend, T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale) {
    ops::adam_atan2(backend, p, m, v, g, n, s, scale);
  }
};

/// AdamW (arXiv 1711.05101).
struct adamw {
  static constexpr const char* name = "adamw";
  template <class B, class T>
  static void step(B& backend, T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale) {
    ops::adamw(backend, p, m, v, g, n, s, scale);
  }
};

}  // namespace trm
