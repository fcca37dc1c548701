// SPDX-License-Identifier: MIT
// Rows of views and rows of results, read and written several channels at a time.
#pragma once
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "trm/backend/cpu/vector_math.hpp"
#include "trm/core/numerics.hpp"
#include "trm/core/view.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu::detail {

/// Where a row belongs: sample, row, and the rows of the call.
struct row_place {
  int sample, row, rows;
};

/// A row of a view: channel i at data[i * step].
template <class T, layout Order>
struct view_row {
  T* data;
  std::ptrdiff_t step;

  TRM_INLINE inline T& operator[](int i) const {
    if constexpr (Order == layout::channels_last) {
      return data[i];
    } else {
      return data[i * step];
    }
  }
};

template <class V>
TRM_INLINE inline auto row_at(const V& v, row_place p) {
  const strides s = v.steps(p.rows);
  return view_row<typename V::value_type, V::order>{v.data + p.sample * s.sample + p.row * s.row, s.channel};
}

/// A row of results on its way to a sink, or part of it: n accumulators that may be overwritten, handled Lanes at a time where they
/// can be. v[0] belongs to channel `first`.
template <class A, int Lanes>
struct result_row {
  A* v;
  int n;
  row_place at;
  int first = 0;
};

/// The row of a view that a row of results belongs to, from the same channel on.
template <class V, class A, int Lanes>
TRM_INLINE inline auto row_at(const V& v, const result_row<A, Lanes>& r) {
  auto row = row_at(v, r.at);
  row.data += r.first * row.step;
  return row;
}

/// L channels at once: a vector of float, or one number.
template <int L, class A>
using channels = std::conditional_t<L == 1, A, floats<L>>;

template <int L, class A>
TRM_INLINE inline channels<L, A> spread(A x) {
  if constexpr (L == 1) {
    return x;
  } else {
    return floats<L>::broadcast(x);
  }
}
template <int L, class A>
TRM_INLINE inline channels<L, A> get(const A* v, int i) {
  if constexpr (L == 1) {
    return v[i];
  } else {
    return floats<L>::load(v + i);
  }
}
template <int L, class A>
TRM_INLINE inline void set(A* v, int i, const channels<L, A>& x) {
  if constexpr (L == 1) {
    v[i] = x;
  } else {
    x.store(v + i);
  }
}
template <int L, class A, class T, layout Order>
TRM_INLINE inline channels<L, A> get(const view_row<T, Order>& row, int i) {
  if constexpr (L == 1) {
    return static_cast<A>(row[i]);
  } else {
    return load_floats<L>(row.data + i);
  }
}
template <int L, class A, class T, layout Order>
TRM_INLINE inline void set(const view_row<T, Order>& row, int i, const channels<L, A>& x) {
  if constexpr (L == 1) {
    row[i] = static_cast<T>(x);
  } else {
    store_activations(x, row.data + i);
  }
}

/// f(i, L) for the channels below n, L of them at once: Lanes where rows are contiguous float32 or bf16, else 1.
template <class A, int Lanes, layout Order = layout::channels_last, class F>
TRM_INLINE inline void each(int n, F f) {
  int i = 0;
  if constexpr (std::is_same_v<A, float> && Order == layout::channels_last) {
    for (; i + Lanes <= n; i += Lanes) f(i, std::integral_constant<int, Lanes>{});
  }
  for (; i < n; ++i) f(i, std::integral_constant<int, 1>{});
}

/// sum over the channels of f(i, L), in 16 partial sums that are added in order.
template <class A, int Lanes, layout Order = layout::channels_last, class F>
TRM_INLINE inline A sum(int n, F f) {
  A part[16] = {};
  int i = 0;
  if constexpr (std::is_same_v<A, float> && Order == layout::channels_last) {
    floats<Lanes> lane[16 / Lanes];
    for (auto& l : lane) l = floats<Lanes>::zero();
    for (; i + 16 <= n; i += 16) {
      for (int j = 0; j < 16 / Lanes; ++j) lane[j] += f(i + j * Lanes, std::integral_constant<int, Lanes>{});
    }
    for (int j = 0; j < 16 / Lanes; ++j) lane[j].store(part + j * Lanes);
  }
  for (; i < n; ++i) part[i % 16] += f(i, std::integral_constant<int, 1>{});
  A total = 0;
  for (A x : part) total += x;
  return total;
}

/// 1 / (1 + exp(-x)), of one number or of several.
template <int L, class A>
TRM_INLINE inline channels<L, A> logistic(const channels<L, A>& x) {
  if constexpr (L > 1) {
    return sigmoid(x);
  } else if constexpr (std::is_same_v<A, float>) {
    return sigmoid(floats<4>::broadcast(x))
        .v[0];  // the very function of the vectors: the tail of a row is no exception
  } else {
    return A(1) / (A(1) + std::exp(-x));
  }
}

}  // namespace trm::cpu::detail

#pragma GCC diagnostic pop
