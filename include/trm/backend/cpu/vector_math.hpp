// SPDX-License-Identifier: MIT
// Exponential and sigmoid of vectors of float32, and arrays converted between bf16 and float32.
#pragma once
#include <cstddef>

#include "trm/backend/cpu/lanes.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu {

/// e^x, relative error below 2e-7 where the result is a normal number. Below that it underflows gradually to 0, above
/// 88.73 it is infinite; NaN stays NaN.
///
/// x = n ln 2 + r, |r| <= ln 2 / 2; e^r by the polynomial of the Cephes library (S. Moshier, expf), then 2^n in two
/// factors, since neither 2^128 nor 2^-149 is a normal number.
template <int N>
TRM_INLINE inline floats<N> exp(const floats<N>& x0) {
  using F = floats<N>;
  const auto c = [](float value) TRM_INLINE { return F::broadcast(value); };
  F x = select(less(x0, c(-104.0f)), c(-104.0f), x0);
  x = select(less(c(89.0f), x), c(89.0f), x);
  const F shift = c(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer, found in the low bits
  const F t = multiply_add(x, c(1.44269504088896341f), shift);
  const F n = t - shift;
  F r = multiply_add(n, c(-0.693359375f), x);
  r = multiply_add(n, c(2.12194440e-4f), r);
  F p = c(1.9875691500e-4f);
  p = multiply_add(p, r, c(1.3981999507e-3f));
  p = multiply_add(p, r, c(8.3334519073e-3f));
  p = multiply_add(p, r, c(4.1665795894e-2f));
  p = multiply_add(p, r, c(1.6666665459e-1f));
  p = multiply_add(p, r, c(5.0000001201e-1f));
  p = multiply_add(p, r * r, r) + c(1.0f);
  using word = typename words<N>::native;
  typedef std::int32_t integer __attribute__((vector_size(4 * N)));
  const integer k = (integer)((word)t.v - (word)shift.v);
  const integer half = k >> 1;
  const F first{(typename F::native)((half + 127) << 23)};
  const F second{(typename F::native)((k - half + 127) << 23)};
  return p * first * second;
}

/// 1 / (1 + e^-x), relative error below 4e-7 for x > -87; it is 0 below -88.8; NaN stays NaN.
template <int N>
TRM_INLINE inline floats<N> sigmoid(const floats<N>& x) {
  const auto one = floats<N>::broadcast(1.0f);
  return one / (one + exp(floats<N>{-x.v}));
}

/// to[i] = from[i] as float32, or rounded as trm::bf16(float) rounds. The arrays do not overlap.
template <class To, class From>
inline void convert(const From* from, To* to, std::size_t count) {
  for_isa(current_isa(), [&](auto level) TRM_INLINE {
    constexpr int n = level.lanes;
    std::size_t i = 0;
    for (; i + n <= count; i += n) store_floats(load_floats<n>(from + i), to + i);
    for (; i < count; ++i) to[i] = To(static_cast<float>(from[i]));
  });
}

}  // namespace trm::cpu

#pragma GCC diagnostic pop
