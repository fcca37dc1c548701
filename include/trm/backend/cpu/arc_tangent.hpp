// SPDX-License-Identifier: MIT
// The arc tangent of vectors, for AdamATan2.
#pragma once
#include <cstddef>
#include <utility>

#include "trm/backend/cpu/lanes.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu {

namespace detail {

/// N float64 and as many integers of 64 bits.
template <int N>
struct doubles {
  typedef double native __attribute__((vector_size(8 * N)));
  typedef long long masks __attribute__((vector_size(8 * N)));
  native v;

  /// a where the mask is all ones, b where it is zero.
  TRM_INLINE static inline doubles select(const masks& m, const native& a, const native& b) {
    return {(native)(((masks)a & m) | ((masks)b & ~m))};
  }
  /// At most 1e300, which is as good as infinity for what has come from float32; NaN stays so.
  TRM_INLINE inline doubles finite() const { return select((masks)(v > 1e300), native{} + 1e300, v); }
};

/// atan2 of half as many numbers as a vector of float32 holds, in float64.
///
/// With l the larger and s the smaller magnitude the angle is that of s / l, or where s / l > tan(pi / 8) pi / 4 more than that of
/// (s - l) / (s + l), which leaves quotients below 0.4143: atan(q) = q P(q^2) with P of least relative error, 7e-13.
template <int N>
TRM_INLINE inline doubles<N> atan2(const doubles<N>& y, const doubles<N>& x) {
  using D = doubles<N>;
  using vector = typename D::native;
  using masks = typename D::masks;
  const masks sign = (masks)y.v & (masks{} + static_cast<long long>(0x8000000000000000ull));
  const vector a = (vector)((masks)y.v ^ sign);
  const masks steep = (masks)(x.v < a);
  const vector l = D::select(steep, a, x.v).finite().v, s = D::select(steep, x.v, a).finite().v;
  const masks beyond = (masks)(s > l * 0.4142135623730950);
  const vector top = D::select(beyond, s - l, s).v, bottom = D::select(beyond, s + l, l).v;
  const vector q = top / D::select((masks)(bottom == 0.0), vector{} + 1.0, bottom).v;  // 0 / 0 is 0
  const vector t = q * q;
  vector p = t * -0.03771137570536532 + 0.06977593810354088;
  p = p * t - 0.08993358494564119;
  p = p * t + 0.11103551718113283;
  p = p * t - 0.14285392285754722;
  p = p * t + 0.19999993218740825;
  p = p * t - 0.33333333278709826;
  p = p * t + 0.9999999999992765;
  const vector within = p * q, angle = D::select(beyond, within + 0.78539816339744831, within).v;
  const vector r = D::select(steep, 1.5707963267948966 - angle, angle).v;
  return {(vector)((masks)r | sign)};
}

/// N / 2 numbers from the First-th on.
template <std::size_t First, int N, std::size_t... I>
TRM_INLINE inline doubles<N / 2> part_of(const floats<N>& a, std::index_sequence<I...>) {
  typedef float half __attribute__((vector_size(2 * N)));
  const half h = __builtin_shufflevector(a.v, a.v, static_cast<int>(First + I)...);
  return {__builtin_convertvector(h, typename doubles<N / 2>::native)};
}
template <int N, std::size_t... I>
TRM_INLINE inline floats<N> atan2_of_halves(const floats<N>& y, const floats<N>& x, std::index_sequence<I...> half_of) {
  typedef float half __attribute__((vector_size(2 * N)));
  const half a = __builtin_convertvector(atan2(part_of<0>(y, half_of), part_of<0>(x, half_of)).v, half);
  const half b = __builtin_convertvector(atan2(part_of<N / 2>(y, half_of), part_of<N / 2>(x, half_of)).v, half);
  return {__builtin_shufflevector(a, b, static_cast<int>(I)..., static_cast<int>(I + N / 2)...)};
}

}  // namespace detail

/// The angle of (x, y) for x >= 0, between -pi / 2 and pi / 2, as std::atan2, rounded once: within 0.50001 units in the last place.
/// 0 with the sign of y where both are 0.
template <int N>
TRM_INLINE inline floats<N> atan2(const floats<N>& y, const floats<N>& x) {
  return detail::atan2_of_halves(y, x, std::make_index_sequence<N / 2>());
}

}  // namespace trm::cpu

#pragma GCC diagnostic pop
