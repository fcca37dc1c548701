// SPDX-License-Identifier: MIT
// Passes over flat buffers on the CPU: optimizer steps, averages, norms. Ranges of fixed size, whatever the number of threads.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "trm/backend/cpu/isa.hpp"
#include "trm/backend/cpu/thread_pool.hpp"
#include "trm/ops/optimizer.hpp"

namespace trm::cpu::detail {

/// f(i) for i < n.
template <class F>
void each_element(thread_pool& pool, std::size_t n, F f) {
  constexpr std::size_t range = 16384;
  pool.run(static_cast<int>((n + range - 1) / range), [&](int task, int) {
    const std::size_t first = static_cast<std::size_t>(task) * range, end = std::min(n, first + range);
    for_isa(current_isa(), [&](auto) TRM_INLINE {
      for (std::size_t i = first; i < end; ++i) f(i);
    });
  });
}

/// What Adam's relatives share: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, p = p (1 - lr wd) - lr / (1 - b1^t) * direction(m, r),
/// r = sqrt(v) / sqrt(1 - b2^t).
template <class T, class Direction>
void adam_like(thread_pool& pool, T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale,
               Direction direction) {
  const auto correction = [&](double beta) { return 1 - std::pow(beta, static_cast<double>(s.t)); };
  const T b1 = static_cast<T>(s.beta1), b2 = static_cast<T>(s.beta2), new1 = static_cast<T>(1 - s.beta1),
          new2 = static_cast<T>(1 - s.beta2);
  const T keep = static_cast<T>(1 - s.learning_rate * s.weight_decay), factor = static_cast<T>(scale);
  const T rate = static_cast<T>(s.learning_rate / correction(s.beta1)),
          root = static_cast<T>(1 / std::sqrt(correction(s.beta2)));
  each_element(pool, n, [=](std::size_t i) TRM_INLINE {
    const T gi = g[i] * factor;
    m[i] = b1 * m[i] + new1 * gi;
    v[i] = b2 * v[i] + new2 * gi * gi;
    p[i] = p[i] * keep - rate * direction(m[i], std::sqrt(v[i]) * root);
  });
}

/// sum of g_i^2 in 64 partial sums of fixed ranges, added in order.
template <class T>
double squared_norm(thread_pool& pool, const T* g, std::size_t n) {
  constexpr std::size_t parts = 64;
  double part[parts] = {};
  pool.run(static_cast<int>(parts), [&](int task, int) {
    const auto t = static_cast<std::size_t>(task);
    double sum = 0;
    for (std::size_t i = n * t / parts; i < n * (t + 1) / parts; ++i)
      sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
    part[t] = sum;
  });
  double sum = 0;
  for (double x : part) sum += x;
  return sum;
}

}  // namespace trm::cpu::detail
