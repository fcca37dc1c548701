// SPDX-License-Identifier: MIT
// Sinks whose views have rows side by side (layout::channels_first, as the token mixer's): applied to 16 rows at a time, of which a view
// then has one channel after the other as vectors. Row by row every element would be on a cache line of its own.
#pragma once
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "trm/backend/cpu/packing.hpp"
#include "trm/backend/cpu/rows.hpp"
#include "trm/ops/sinks.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu::detail {

/// 16 rows of n results, `at` the first of them: channel i of row at.row + l is v[16 i + l], and may be overwritten.
struct result_columns {
  float* v;
  int n;
  row_place at;
};

/// Rows in one result_columns.
inline constexpr int rows_of_columns = 16;

template <class V>
inline constexpr bool has_columns = false;
template <>
inline constexpr bool has_columns<absent> = true;
template <class V>
requires(is_view<V>) inline constexpr bool has_columns<V> =
    V::order == layout::channels_first && std::is_same_v<accumulator<typename V::value_type>, float>;

/// Has the sink a put_columns?
template <class S>
inline constexpr bool takes_columns = false;
template <class V>
inline constexpr bool takes_columns<sink::store<V>> = has_columns<V>;
template <class Other, class Then>
inline constexpr bool takes_columns<sink::plus<Other, Then>> = has_columns<Other>&& takes_columns<Then>;
template <class X, class R, class Then>
inline constexpr bool takes_columns<sink::add_norm<X, R, Then>> = has_columns<X>&& has_columns<R>&& takes_columns<Then>;

/// The 16 rows of a view: channel i at data[i * step].
template <class V>
TRM_INLINE inline view_row<typename V::value_type, layout::channels_first> columns_at(const V& v, row_place p) {
  const strides s = v.steps(p.rows);
  return {v.data + p.sample * s.sample + p.row, s.channel};
}

template <class V>
TRM_INLINE inline void add_columns(const V& view, const result_columns& r) {
  const auto x = columns_at(view, r.at);
  for (int i = 0; i < r.n; ++i) (floats<16>::load(r.v + 16 * i) + load_floats<16>(&x[i])).store(r.v + 16 * i);
}

/// As put(sink, row) for each of the rows.
template <class V>
TRM_INLINE inline void put_columns(const sink::store<V>& s, const result_columns& r) {
  const auto y = columns_at(s.y, r.at);
  for (int i = 0; i < r.n; ++i) store_activations(floats<16>::load(r.v + 16 * i), &y[i]);
}
template <class Other, class Then>
TRM_INLINE inline void put_columns(const sink::plus<Other, Then>& s, const result_columns& r) {
  add_columns(s.other, r);
  put_columns(s.then, r);
}
template <class X, class R, class Then>
TRM_INLINE inline void put_columns(const sink::add_norm<X, R, Then>& s, const result_columns& r) {
  add_columns(s.x, r);
  floats<16> part[16];  // as in `sum`
  for (auto& p : part) p = floats<16>::zero();
  for (int i = 0; i < r.n; ++i) {
    const floats<16> h = floats<16>::load(r.v + 16 * i);
    part[i % 16] += h * h;
  }
  floats<16> square = floats<16>::zero();
  for (const auto& p : part) square += p;
  float scale[16];
  square.store(scale);
  for (float& x : scale) x = 1.0f / std::sqrt(x / static_cast<float>(r.n) + static_cast<float>(s.eps));
  if constexpr (is_view<R>) {
    for (int l = 0; l < 16; ++l) {
      row_at(s.r, {r.at.sample, r.at.row + l, r.at.rows})[0] = static_cast<typename R::value_type>(scale[l]);
    }
  }
  const floats<16> scales = floats<16>::load(scale);
  for (int i = 0; i < r.n; ++i) (floats<16>::load(r.v + 16 * i) * scales).store(r.v + 16 * i);
  put_columns(s.then, r);
}

/// The same for rows as a product leaves them, `ld` apart, of which whole vectors can be read.
template <int N, class S>
TRM_INLINE inline void put_rows_as_columns(const S& s, const float* rows, std::ptrdiff_t ld, row_place first) {
  alignas(64) float v[16 * ((N + 15) / 16 * 16)];
  for (int i = 0; i < N; i += 16) {
    words<16> m[16];
    TRM_UNROLL
    for (int l = 0; l < 16; ++l) m[l] = bits_as<std::uint32_t>(floats<16>::load(rows + l * ld + i));
    transpose(m);
    TRM_UNROLL
    for (int l = 0; l < 16; ++l) bits_as<float>(m[l]).store(v + 16 * (i + l));
  }
  put_columns(s, result_columns{v, N, first});
}

}  // namespace trm::cpu::detail

#pragma GCC diagnostic pop
