// SPDX-License-Identifier: MIT
// Passes over flat buffers on the CPU: optimizer steps, averages, norms. Ranges of fixed size, whatever the number of
// threads.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "trm/backend/cpu/arc_tangent.hpp"
#include "trm/backend/cpu/isa.hpp"
#include "trm/backend/cpu/rows.hpp"
#include "trm/backend/cpu/thread_pool.hpp"
#include "trm/backend/cpu/vector_math.hpp"
#include "trm/ops/optimizer.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu::detail {

inline constexpr std::size_t flat_range = 16384;

/// f(i) for i < n.
template <class F>
void each_element(thread_pool& pool, std::size_t n, F f) {
  pool.run(static_cast<int>((n + flat_range - 1) / flat_range), [&](int task, int) {
    const std::size_t first = static_cast<std::size_t>(task) * flat_range, end = std::min(n, first + flat_range);
    for_isa(current_isa(), [&](auto) TRM_INLINE {
      for (std::size_t i = first; i < end; ++i) f(i);
    });
  });
}

/// Directions of a step from the moment m and the root r, of one number or of several.
struct angle_of_moments {
  template <int L, class T>
  TRM_INLINE inline channels<L, T> of(const channels<L, T>& m, const channels<L, T>& r) const {
    if constexpr (L > 1) {
      return atan2(m, r);
    } else if constexpr (std::is_same_v<T, float>) {
      return atan2(floats<4>::broadcast(m), floats<4>::broadcast(r)).v[0];  // the very function of the vectors
    } else {
      return std::atan2(m, r);
    }
  }
};
struct ratio_of_moments {
  double epsilon;
  template <int L, class T>
  TRM_INLINE inline channels<L, T> of(const channels<L, T>& m, const channels<L, T>& r) const {
    return m / (r + spread<L>(static_cast<T>(epsilon)));
  }
};
template <int L, class T>
TRM_INLINE inline channels<L, T> root_of(const channels<L, T>& x) {
  if constexpr (L > 1) {
    return sqrt(x);
  } else {
    return std::sqrt(x);
  }
}

/// What Adam's relatives share: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2,
/// p = p (1 - lr wd) - lr / (1 - b1^t) * direction(m, r), r = sqrt(v) / sqrt(1 - b2^t).
template <class T, class Direction>
void adam_like(thread_pool& pool, T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale,
               Direction direction) {
  const auto correction = [&](double beta) { return 1 - std::pow(beta, static_cast<double>(s.t)); };
  const T b1 = static_cast<T>(s.beta1), b2 = static_cast<T>(s.beta2), new1 = static_cast<T>(1 - s.beta1),
          new2 = static_cast<T>(1 - s.beta2);
  const T keep = static_cast<T>(1 - s.learning_rate * s.weight_decay), factor = static_cast<T>(scale);
  const T rate = static_cast<T>(s.learning_rate / correction(s.beta1)),
          root = static_cast<T>(1 / std::sqrt(correction(s.beta2)));
  pool.run(static_cast<int>((n + flat_range - 1) / flat_range), [&](int task, int) {
    const std::size_t first = static_cast<std::size_t>(task) * flat_range;
    for_isa(current_isa(), [=](auto level) TRM_INLINE {  // copies: what lies in memory, g++ 12 spreads lane by lane
      each<T, level.lanes>(static_cast<int>(std::min(flat_range, n - first)), [&](int at, auto l) TRM_INLINE {
        constexpr int L = l();
        const std::size_t i = first + static_cast<std::size_t>(at);
        const auto x = [](T value) TRM_INLINE { return spread<L>(value); };
        const channels<L, T> gi = get<L>(g + i, 0) * x(factor);
        const channels<L, T> mi = x(b1) * get<L>(m + i, 0) + x(new1) * gi;
        const channels<L, T> vi = x(b2) * get<L>(v + i, 0) + x(new2) * gi * gi;
        const channels<L, T> d = direction.template of<L, T>(mi, root_of<L, T>(vi) * x(root));
        set<L>(m + i, 0, mi);
        set<L>(v + i, 0, vi);
        set<L>(p + i, 0, get<L>(p + i, 0) * x(keep) - x(rate) * d);
      });
    });
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

#pragma GCC diagnostic pop
