// SPDX-License-Identifier: MIT
// Elementary functions of vectors of float32, and arrays converted between bf16 and float32.
#pragma once
#include <cstddef>
#include <cstdint>

#include "trm/backend/cpu/lanes.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu {

namespace detail {

/// 2^(n + f) for whole n in [-127, 127] and |f| <= 1/2; 0 for n = -127. `shifted` is n + exponent_shift.
template <int N>
TRM_INLINE inline floats<N> power_of_two(const floats<N>& shifted, const floats<N>& f) {
  const auto c = [](float value) TRM_INLINE { return floats<N>::broadcast(value); };
  auto p = c(1.32769905e-3f);  // of least relative error in float32
  p = multiply_add(p, f, c(9.67230834e-3f));
  p = multiply_add(p, f, c(5.55070639e-2f));
  p = multiply_add(p, f, c(2.4022226e-1f));
  p = multiply_add(p, f, c(6.93147004e-1f));
  p = multiply_add(p, f, c(1.0f));
  return p * bits_as<float>(words<N>{bits_as<std::uint32_t>(shifted).v << 23});
}
/// Added to a float32 it rounds it to a whole number n, and leaves n + 127, the exponent field of 2^n, in the low bits.
inline constexpr float exponent_shift = 12582912.0f + 127.0f;  // 1.5 * 2^23 + 127

}  // namespace detail

/// 2^x for x <= 127, relative error below 2e-7; 0 below -126.5; NaN stays NaN.
template <int N>
TRM_INLINE inline floats<N> exp2(const floats<N>& x0) {
  const auto shift = floats<N>::broadcast(detail::exponent_shift);
  const auto x = max(floats<N>::broadcast(-127.0f), x0), t = x + shift;
  return detail::power_of_two(t, x - (t - shift));
}

/// log2 x, error below 2e-7 or that part of it, for normal x > 0; -infinity for less. NaN and infinity give NaN.
///
/// x = 2^n m, sqrt(1/2) <= m < sqrt(2); log m by the polynomial of the Cephes library (S. Moshier, logf).
template <int N>
TRM_INLINE inline floats<N> log2(const floats<N>& x) {
  using F = floats<N>;
  const auto c = [](float value) TRM_INLINE { return F::broadcast(value); };
  typedef std::int32_t integer __attribute__((vector_size(4 * N)));
  const integer n = ((integer)x.v - 0x3f3504f3) >> 23;
  const F f = F{(typename F::native)((integer)x.v - (n << 23))} - c(1.0f);
  F p = c(7.0376836292e-2f);
  p = multiply_add(p, f, c(-1.1514610310e-1f));
  p = multiply_add(p, f, c(1.1676998740e-1f));
  p = multiply_add(p, f, c(-1.2420140846e-1f));
  p = multiply_add(p, f, c(1.4249322787e-1f));
  p = multiply_add(p, f, c(-1.6668057665e-1f));
  p = multiply_add(p, f, c(2.0000714765e-1f));
  p = multiply_add(p, f, c(-2.4999993993e-1f));
  p = multiply_add(p, f, c(3.3333331174e-1f));
  p = multiply_add(p, f, c(-0.5f)) * f * f + f;
  const F whole{__builtin_convertvector(n, typename F::native)};
  return select(less(x, c(1.17549435e-38f)), c(-__builtin_inff()), multiply_add(p, c(1.44269504f), whole + (x - x)));
}

/// 1 / (1 + e^-x), relative error below 4e-7 for x > -87; it is 0 below -88; NaN stays NaN.
///
/// With t = e^-|x|: 1 / (1 + t), or t / (1 + t) for x < 0. The quotient is a polynomial of t, wrong by 1 / 577 at most,
/// and one iteration of third order: a division takes longer than all of it.
template <int N>
TRM_INLINE inline floats<N> sigmoid(const floats<N>& x) {
  using F = floats<N>;
  const auto c = [](float value) TRM_INLINE { return F::broadcast(value); };
  const F y = max(c(-88.02f), F{bits_as<float>(words<N>{bits_as<std::uint32_t>(x).v | 0x80000000u})});
  const F shift = c(detail::exponent_shift), one = c(1.0f);
  const F shifted = multiply_add(y, c(1.44269502f), shift), n = shifted - shift;
  // y - n log 2 in two steps, of which the first is exact without fused multiplication too
  const F rest = multiply_add(n, c(2.12194440e-4f), multiply_add(n, c(-0.693359375f), y));
  const F t = detail::power_of_two(shifted, rest * c(1.44269502f));
  F r = multiply_add(t, c(-128.0f / 577), c(384.0f / 577));
  r = multiply_add(r, t, c(-544.0f / 577));
  r = multiply_add(r, t, c(576.0f / 577));
  const F off = multiply_add(F{-(one + t).v}, r, one);
  r = multiply_add(r, multiply_add(off, off, off), r);
  return select(less(x, F::zero()), t * r, r);
}

/// The square root, correctly rounded.
template <int N>
TRM_INLINE inline floats<N> sqrt(const floats<N>& x) {
  floats<N> r;
#if defined(__x86_64__) && !defined(__clang__)
  if constexpr (N > 4) {
    __asm__("vsqrtps %1, %0" : "=v"(r.v) : "v"(x.v));
    return r;
  }
#endif
  for (int i = 0; i < N; ++i) r.v[i] = __builtin_sqrtf(x.v[i]);
  return r;
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
