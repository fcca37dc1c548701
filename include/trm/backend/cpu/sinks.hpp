// SPDX-License-Identifier: MIT
// Sinks on the CPU: applied to one row while it is in the cache.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstring>

#include "trm/backend/cpu/isa.hpp"
#include "trm/backend/cpu/vector_math.hpp"
#include "trm/core/numerics.hpp"
#include "trm/ops/rope.hpp"
#include "trm/ops/sinks.hpp"

#define TRM_INLINE inline __attribute__((always_inline))

namespace trm::detail {

/// Where a row belongs: sample, row, and the rows of the call.
struct row_place {
  int sample, row, rows;
};

/// A row of a view: element i at data[i * step].
template <class T>
struct row_of {
  T* data;
  std::ptrdiff_t step;
};

template <class V>
TRM_INLINE auto row_at(const V& v, row_place p) {
  const strides s = v.steps(p.rows);
  return row_of<typename V::value_type>{v.data + p.sample * s.sample + p.row * s.row, s.channel};
}

/// f(i) for i < n; a loop of its own where rows are contiguous, so that it is vectorised.
template <layout Order, class F>
TRM_INLINE void each_channel(int n, std::ptrdiff_t step, F f) {
  if constexpr (Order == layout::channels_last) {
    for (int i = 0; i < n; ++i) f(i, i);
  } else {
    for (int i = 0; i < n; ++i) f(i, static_cast<std::ptrdiff_t>(i) * step);
  }
}

template <class A>
TRM_INLINE A logistic(A x) {
  return A(1) / (A(1) + std::exp(-x));
}

// put(sink, place, v, n): v is a row of n accumulators and may be overwritten.

template <class V, class A>
TRM_INLINE void put(const sink::store<V>& s, row_place p, A* v, int n) {
  using T = typename V::value_type;
  const auto y = row_at(s.y, p);
  each_channel<V::order>(n, y.step, [&](int i, std::ptrdiff_t at) { y.data[at] = static_cast<T>(v[i]); });
}

template <class V, class A>
TRM_INLINE void put(const sink::add<V>& s, row_place p, A* v, int n) {
  using T = typename V::value_type;
  const auto y = row_at(s.y, p);
  each_channel<V::order>(n, y.step, [&](int i, std::ptrdiff_t at) { y.data[at] = static_cast<T>(static_cast<A>(y.data[at]) + v[i]); });
}

/// v += row of a view
template <class V, class A>
TRM_INLINE void add_row(const V& view, row_place p, A* v, int n) {
  const auto x = row_at(view, p);
  each_channel<V::order>(n, x.step, [&](int i, std::ptrdiff_t at) { v[i] += static_cast<A>(x.data[at]); });
}

template <class O, class Then, class A>
TRM_INLINE void put(const sink::plus<O, Then>& s, row_place p, A* v, int n) {
  add_row(s.other, p, v, n);
  put(s.then, p, v, n);
}

/// sum_i f(i) in 16 partial sums added in a fixed order: vectorises, and is the same on every instruction set.
template <class A, class F>
TRM_INLINE A lane_sum(int n, F f) {
  A part[16] = {};
  int i = 0;
  for (; i + 16 <= n; i += 16) {
    for (int j = 0; j < 16; ++j) part[j] += f(i + j);
  }
  for (int j = 0; i + j < n; ++j) part[j] += f(i + j);
  A sum = 0;
  for (A x : part) sum += x;
  return sum;
}

template <class X, class R, class Then, class A>
TRM_INLINE void put(const sink::add_norm<X, R, Then>& s, row_place p, A* v, int n) {
  add_row(s.x, p, v, n);
  const A square = lane_sum<A>(n, [&](int i) { return v[i] * v[i]; });
  const A scale = A(1) / std::sqrt(square / static_cast<A>(n) + static_cast<A>(s.eps));
  if constexpr (is_view<R>) *row_at(s.r, p).data = static_cast<typename R::value_type>(scale);
  for (int i = 0; i < n; ++i) v[i] *= scale;
  put(s.then, p, v, n);
}

template <class Y, class R, class Then, class A>
TRM_INLINE void put(const sink::norm_gradient<Y, R, Then>& s, row_place p, A* v, int n) {
  const auto y = row_at(s.y, p);
  const A scale = static_cast<A>(*row_at(s.r, p).data);
  A dot;
  if constexpr (Y::order == layout::channels_last) {
    dot = lane_sum<A>(n, [&](int i) { return static_cast<A>(y.data[i]) * v[i]; });
  } else {
    dot = lane_sum<A>(n, [&](int i) { return static_cast<A>(y.data[i * y.step]) * v[i]; });
  }
  const A mean = dot / static_cast<A>(n);
  each_channel<Y::order>(n, y.step, [&](int i, std::ptrdiff_t at) { v[i] = scale * (v[i] - static_cast<A>(y.data[at]) * mean); });
  put(s.then, p, v, n);
}

template <class G, class H, class A>
TRM_INLINE void put(const sink::swiglu<G, H>& s, row_place p, A* v, int n) {
  if constexpr (is_view<G>) put(sink::store<G>{s.gate_up}, p, v, n);
  const int half = n / 2;
  sigmoid_times(v, v + half, v, half);  // v[i] = v[i] * sigmoid(v[i]) * up[i]
  put(sink::store<H>{s.h}, p, v, half);
}

template <class G, class H, class A>
TRM_INLINE void put(const sink::swiglu_gradient<G, H>& s, row_place p, A* dh, int n) {
  using T = typename G::value_type;
  const auto g = row_at(s.gate_up, p);
  const auto h = row_at(s.h, p);
  constexpr int chunk = 64;  // sigmoids of a few channels at a time
  A gate[chunk], sig[chunk];
  for (int first = 0; first < n; first += chunk) {
    const int m = n - first < chunk ? n - first : chunk;
    for (int i = 0; i < m; ++i) gate[i] = static_cast<A>(g.data[(first + i) * g.step]);
    sigmoid(gate, sig, m);
    for (int i = 0; i < m; ++i) {
      T& gate_out = g.data[(first + i) * g.step];
      T& up_out = g.data[(first + n + i) * g.step];
      const A up = static_cast<A>(up_out), act = gate[i] * sig[i], d = dh[first + i];
      h.data[(first + i) * h.step] = static_cast<typename H::value_type>(act * up);
      gate_out = static_cast<T>(d * up * (sig[i] + act * (A(1) - sig[i])));
      up_out = static_cast<T>(d * act);
    }
  }
}

template <class F, class P, class H, class A>
TRM_INLINE void put(const sink::activate<F, P, H>& s, row_place p, A* v, int n) {
  if constexpr (is_view<P>) put(sink::store<P>{s.pre}, p, v, n);
  for (int i = 0; i < n; ++i) v[i] = F::value(v[i]);
  put(sink::store<H>{s.h}, p, v, n);
}

template <class F, class P, class H, class A>
TRM_INLINE void put(const sink::activate_gradient<F, P, H>& s, row_place p, A* dh, int n) {
  using T = typename P::value_type;
  const auto pre = row_at(s.pre, p);
  const auto h = row_at(s.h, p);
  for (int i = 0; i < n; ++i) {
    T& x = pre.data[i * pre.step];
    const A before = static_cast<A>(x);
    h.data[i * h.step] = static_cast<typename H::value_type>(F::value(before));
    x = static_cast<T>(dh[i] * F::derivative(before));
  }
}

/// Turns the pairs of one head of d channels in place; `sign` -1 undoes it.
template <class A>
TRM_INLINE void turn(A* head, const float* cosine, const float* sine, int d, A sign) {
  const int pairs = d / 2;
  for (int i = 0; i < pairs; ++i) {
    const A co = static_cast<A>(cosine[i]), si = sign * static_cast<A>(sine[i]);
    const A a = head[i], b = head[i + pairs];
    head[i] = a * co - b * si;
    head[i + pairs] = b * co + a * si;
  }
}

template <int Heads, class Positions, class V, class A>
TRM_INLINE void put(const sink::rotate<Heads, Positions, V>& s, row_place p, A* v, int n) {
  if constexpr (Positions::rotates) {
    constexpr int d = V::width / 3 / Heads;
    const auto& table = rotation_table<Positions, V::max_rows, d>::instance;
    for (int h = 0; h < 2 * Heads; ++h) turn(v + h * d, table.cosine_of(p.row), table.sine_of(p.row), d, A(1));
  }
  put(sink::store<V>{s.y}, p, v, n);
}

template <class U, class A>
TRM_INLINE void put(const sink::sum_with<U>& s, row_place p, A* v, int n) {
  using T = typename U::value_type;
  const auto u = row_at(s.u, p);
  const auto combine = [&](auto&& others) {
    each_channel<U::order>(n, u.step, [&](int i, std::ptrdiff_t at) { u.data[at] = static_cast<T>(v[i] + others(at)); });
  };
  // One and two others, what two-state and single-state schedules sum, without a buffer.
  if (s.count == 0) return combine([](std::ptrdiff_t) { return A(0); });
  const auto a = row_at(s.others[0], p);
  if (s.count == 1) return combine([&](std::ptrdiff_t at) { return static_cast<A>(a.data[at]); });
  const auto b = row_at(s.others[1], p);
  if (s.count == 2) return combine([&](std::ptrdiff_t at) { return static_cast<A>(a.data[at]) + static_cast<A>(b.data[at]); });
  combine([&](std::ptrdiff_t at) {
    A sum = static_cast<A>(a.data[at]) + static_cast<A>(b.data[at]);
    for (int o = 2; o < s.count; ++o) sum += static_cast<A>(row_at(s.others[o], p).data[at]);
    return sum;
  });
}

template <class Y, class A>
TRM_INLINE void put(const sink::store_and_sum<Y>& s, row_place p, A* v, int n) {
  using T = typename Y::value_type;
  if constexpr (!std::is_same_v<T, A>) {
    for (int i = 0; i < n; ++i) v[i] = static_cast<A>(static_cast<T>(v[i]));  // as it will be read back
  }
  put(sink::store<Y>{s.y}, p, v, n);
  if (s.next) put(s.sum, p, v, n);
}

template <class Y, class Then, class A>
TRM_INLINE void put(const sink::fan_out<Y, Then>& s, row_place p, A* v, int n) {
  for (int t = 0; t < s.count; ++t) {
    if (s.accumulate[t]) {
      put(sink::add<Y>{s.targets[t]}, p, v, n);
    } else {
      put(sink::store<Y>{s.targets[t]}, p, v, n);
    }
  }
  if (!s.deliver) return;
  if (s.has_pending) add_row(s.pending, p, v, n);
  put(s.then, p, v, n);
}

}  // namespace trm::detail
