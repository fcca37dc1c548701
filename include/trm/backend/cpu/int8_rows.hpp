// SPDX-License-Identifier: MIT
// Rows as bytes with one scale a row, and sums of products of such bytes as float32 again.
//
// A row x becomes q_j = round(x_j * (127 / max|x|)), ties to even, and the scale max|x| / 127; x_j is about q_j * scale, off by at most
// half a scale. A byte is stored as q + 128: the products of the processor take one factor without a sign.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "trm/backend/cpu/lanes.hpp"
#include "trm/backend/cpu/packing.hpp"
#include "trm/backend/cpu/product_provider.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu::detail {

inline constexpr int largest_int8 = 127;
inline constexpr std::uint8_t int8_zero = 128;

/// The scale of values up to `largest` in magnitude, and what they are multiplied with. Below 2^-100 values count as zero; where one
/// of them is not finite the scale is NaN, and so is every product.
struct int8_scale {
  float scale, inverse;

  TRM_INLINE static inline int8_scale of(float largest) {
    constexpr float limit = static_cast<float>(largest_int8);
    if (!(largest <= std::numeric_limits<float>::max())) return {std::numeric_limits<float>::quiet_NaN(), 0};
    if (largest < 0x1p-100f) return {0, 0};
    return {largest / limit, limit / largest};
  }
};

template <int N>
using integers = lanes<std::int32_t, N>;

/// The larger magnitudes, as bits: as integers they have the order of the numbers, and NaN is the largest.
template <int N>
TRM_INLINE inline integers<N> larger_bits(const integers<N>& bits, const floats<N>& a) {
  const auto other = bits_as<std::int32_t>(a).v & 0x7fffffff;
  return {bits.v > other ? bits.v : other};
}

/// The nearest integers, ties to even, as bits of words; magnitudes below 2^22. Anything for NaN.
template <int N>
TRM_INLINE inline words<N> nearest(const floats<N>& a) {
#if defined(__x86_64__) && !defined(__clang__)
  words<N> r;
  if constexpr (N == 4) {
    __asm__("cvtps2dq %1, %0" : "=x"(r.v) : "x"(a.v));
  } else {
    __asm__("vcvtps2dq %1, %0" : "=v"(r.v) : "v"(a.v));
  }
  return r;
#else
  constexpr float shift = 12582912.0f;  // 1.5 * 2^23: the last bit of the sum is 1
  const floats<N> shifted{a.v + shift};
  return {bits_as<std::uint32_t>(shifted).v - __builtin_bit_cast(std::uint32_t, shift)};
#endif
}

/// q + 128 in the lowest byte of each word. `inverse` is 0 where a value is not finite.
template <int N>
TRM_INLINE inline words<N> byte_words(const floats<N>& x, const floats<N>& inverse) {
  return {nearest(x * inverse).v + std::uint32_t{int8_zero}};
}

/// Row by row, elements `step` apart.
template <int N, class T>
TRM_INLINE inline void quantise_along(const T* x, std::ptrdiff_t step, int k, std::uint8_t* out, float* scale) {
  typedef std::uint8_t bytes __attribute__((vector_size(N)));
  const auto load = [&](int j) TRM_INLINE {
    if (step == 1 && j + N <= k) return load_floats<N>(x + j);
    float part[N] = {};
    for (int i = 0; i < std::min(N, k - j); ++i) part[i] = static_cast<float>(x[(j + i) * step]);
    return floats<N>::load(part);
  };
  auto largest = integers<N>::zero();
  for (int j = 0; j < k; j += N) largest = larger_bits(largest, load(j));
  std::int32_t each[N], most = 0;
  largest.store(each);
  for (int i = 0; i < N; ++i) most = std::max(most, each[i]);
  const int8_scale s = int8_scale::of(__builtin_bit_cast(float, most));
  const auto inverse = floats<N>::broadcast(s.inverse);
  for (int j = 0; j < k; j += N) {
    const bytes q = __builtin_convertvector(byte_words(load(j), inverse).v, bytes);
    __builtin_memcpy(out + j, &q, sizeof q);
  }
  *scale = s.scale;
}

/// N rows at once, which are neighbours in memory; steps of the reduction are `step` apart.
template <int N, class T>
TRM_INLINE inline void quantise_across(const T* x, std::ptrdiff_t step, int rows, int k, std::uint8_t* out,
                                       std::ptrdiff_t ld, float* scales) {
  const auto load = [&](int j) TRM_INLINE {
    return rows == N ? load_floats<N>(x + j * step) : load_floats<N>(x + j * step, rows);
  };
  auto largest = integers<N>::zero();
  for (int j = 0; j < k; ++j) largest = larger_bits(largest, load(j));
  float scale[N], inverse_of[N];
  bits_as<float>(largest).store(scale);
  for (int i = 0; i < N; ++i) {
    const int8_scale s = int8_scale::of(scale[i]);
    scale[i] = s.scale;
    inverse_of[i] = s.inverse;
  }
  std::copy_n(scale, rows, scales);
  const auto inverse = floats<N>::load(inverse_of);
  for (int j = 0; j < k; j += 4 * N) {
    words<N> m[N];
    for (int u = 0; u < N; ++u) {
      words<N> w{words<N>::zero().v + 0x80808080u};
      if (j + 4 * u + 4 <= k) {
        w = byte_words(load(j + 4 * u), inverse);
        for (int b = 1; b < 4; ++b) w.v |= byte_words(load(j + 4 * u + b), inverse).v << (8 * b);
      } else {
        for (int b = 0; j + 4 * u + b < k; ++b) {
          w.v ^= (byte_words(load(j + 4 * u + b), inverse).v ^ std::uint32_t{int8_zero}) << (8 * b);
        }
      }
      m[u] = w;
    }
    transpose(m);
    for (int i = 0; i < rows; ++i) __builtin_memcpy(out + i * ld + j, &m[i].v, sizeof m[i].v);
  }
}

/// The bytes of row i at out + i * ld, zeros behind them up to `padded`, a multiple of 64, and scales[i]; i < m.
template <int N, class T>
TRM_INLINE inline void quantise_rows(strided<const T> a, int m, int k, int padded, std::uint8_t* out, std::ptrdiff_t ld,
                                     float* scales) {
  if (k < padded) {
    for (int i = 0; i < m; ++i) std::memset(out + i * ld + k / 64 * 64, int8_zero, 64);
  }
  if (a.row == 1 && a.col != 1) {
    for (int done = 0; done < m; done += N) {
      const int i = m < N ? 0 : std::min(done, m - N);  // rows of the last vector may come twice
      quantise_across<N>(a.data + i, a.col, std::min(N, m), k, out + i * ld, ld, scales + i);
    }
  } else {
    for (int i = 0; i < m; ++i) quantise_along<N>(a.data + i * a.row, a.col, k, out + i * ld, scales + i);
  }
}

/// (sums[j] - correction[j]) * (row_scale * column_scale[j]) of N columns, rounded after each step.
template <int N>
TRM_INLINE inline floats<N> scaled(const std::int32_t* sums, const std::int32_t* correction, const floats<N>& row_scale,
                                   const float* column_scale) {
  const auto sum = integers<N>::load(sums) - integers<N>::load(correction);
  const floats<N> value{__builtin_convertvector(sum.v, typename floats<N>::native)};
  return value * (row_scale * floats<N>::load(column_scale));
}

/// out(i, j) from sums(i, j), with rows `ld` and `ld_sums` apart.
template <int N>
TRM_INLINE inline void sums_to_floats(const std::int32_t* sums, std::ptrdiff_t ld_sums, int rows, int columns,
                                      const std::int32_t* correction, const float* row_scale, const float* column_scale,
                                      float* out, std::ptrdiff_t ld) {
  const int whole = columns / N * N;
  for (int i = 0; i < rows; ++i, sums += ld_sums, out += ld) {
    const auto scale = floats<N>::broadcast(row_scale[i]);
    for (int j = 0; j < whole; j += N) scaled<N>(sums + j, correction + j, scale, column_scale + j).store(out + j);
  }
  if (whole == columns) return;
  sums -= rows * ld_sums, out -= rows * ld;
  for (int i = 0; i < rows; ++i) {
    const auto last = scaled<N>(sums + i * ld_sums + whole, correction + whole, floats<N>::broadcast(row_scale[i]),
                                column_scale + whole);
    last.store(out + i * ld + whole, columns - whole);
  }
}

}  // namespace trm::cpu::detail

#pragma GCC diagnostic pop
