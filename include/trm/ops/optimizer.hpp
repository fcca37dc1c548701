// SPDX-License-Identifier: MIT
// Optimizer steps: one pass over flat buffers.
#pragma once
#include <cstddef>

namespace trm {

/// The numbers of one Adam-like update. `t` counts from 1.
struct adam_step {
  double learning_rate, beta1, beta2, weight_decay, epsilon;  // epsilon: adamw alone
  long long t;
};

/// The numbers of one SignSGD update.
struct sign_step {
  double learning_rate, weight_decay;  // of puzzle rows
};

}  // namespace trm

namespace trm::ops {

/// p *= 1 - lr*wd, then p -= lr / (1 - b1^t) * atan2(m, sqrt(v) / sqrt(1 - b2^t)) with m, v the moments of g (arXiv 2407.05872,
/// without its factor 4/pi). `scale` multiplies the gradient first (clipping).
template <class B, class T>
constexpr void adam_atan2(B& backend, T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale) {
  backend.adam_atan2(p, m, v, g, n, s, scale);
}

/// p *= 1 - lr*wd, then p -= lr * m^ / (sqrt(v^) + eps), m^ = m / (1 - b1^t), v^ = v / (1 - b2^t) (arXiv 1711.05101).
template <class B, class T>
constexpr void adamw(B& backend, T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale) {
  backend.adamw(p, m, v, g, n, s, scale);
}

/// average = rate * average + (1 - rate) * p
template <class B, class T>
constexpr void ema(B& backend, T* average, const T* p, std::size_t n, double rate) {
  backend.ema(average, p, n, rate);
}

/// sum of g_i^2, in float64, in a fixed order.
template <class B, class T>
constexpr double squared_norm(B& backend, const T* g, std::size_t n) {
  return backend.squared_norm(g, n);
}

/// sum += g
template <class B, class T>
constexpr void add(B& backend, T* sum, const T* g, std::size_t n) {
  backend.add(sum, g, n);
}

/// g = 0
template <class B, class T>
constexpr void clear(B& backend, T* g, std::size_t n) {
  backend.clear(g, n);
}

}  // namespace trm::ops
