// SPDX-License-Identifier: MIT
// Dense optimizers: which moments they keep and how they step.
#pragma once
#include <cstddef>

#include "trm/ops/optimizer.hpp"

namespace trm {

/// The numbers of a dense optimizer.
struct optimizer_options {
  double learning_rate = 1e-4;       // before the schedule's factor
  double beta1 = 0.9, beta2 = 0.95;  // decay of the first, of the second moment
  double weight_decay = 0.1;         // decoupled: p -= learning_rate * weight_decay * p
  double epsilon = 1e-8;             // adamw only
};

/// AdamATan2 (arXiv 2407.05872) as published with TRM: scale-free, without the factor 4/pi.
struct adam_atan2 {
  static constexpr const char* name = "adam_atan2";  // as in options and checkpoints
  /// One update of the n parameters p from the gradient g * scale; m and v are its moments. See ops/optimizer.hpp for
  /// the equation.
  template <class B, class T>
  static void step(B& backend, T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale) {
    ops::adam_atan2(backend, p, m, v, g, n, s, scale);
  }
};

/// AdamW (arXiv 1711.05101).
struct adamw {
  static constexpr const char* name = "adamw";  // as in options and checkpoints
  /// One update of the n parameters p from the gradient g * scale; m and v are its moments. See ops/optimizer.hpp for
  /// the equation.
  template <class B, class T>
  static void step(B& backend, T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale) {
    ops::adamw(backend, p, m, v, g, n, s, scale);
  }
};

}  // namespace trm
