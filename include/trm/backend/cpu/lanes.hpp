// SPDX-License-Identifier: MIT
// A vector register of float32 or 32-bit words, on the compilers' vector extension.
#pragma once
#include <cstdint>
#include <utility>

#include "trm/backend/cpu/isa.hpp"
#include "trm/core/bf16.hpp"

// Vectors are passed between functions that are always inlined: there is no calling convention to warn of.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu {

/// N (4, 8 or 16) lanes of T (float or std::uint32_t). Made and used in code under `for_isa` only.
template <class T, int N>
struct lanes {
  /// The compilers' vector type; and the register.
  typedef T native __attribute__((vector_size(4 * N)));
  native v;

  /// N elements, of any alignment.
  TRM_INLINE static inline lanes load(const T* p) {
    lanes r;
    __builtin_memcpy(&r.v, p, sizeof r.v);
    return r;
  }
  /// x in every lane.
  TRM_INLINE static inline lanes broadcast(T x) { return {x - native{}}; }
  /// Zero in every lane.
  TRM_INLINE static inline lanes zero() { return {native{}}; }
  /// The first `count` elements, zeros after them. Reads nothing else.
  TRM_INLINE static inline lanes load(const T* p, int count) {
    T part[N] = {};
    for (int i = 0; i < count; ++i) part[i] = p[i];
    return load(part);
  }
  /// Writes N elements, of any alignment.
  TRM_INLINE inline void store(T* p) const { __builtin_memcpy(p, &v, sizeof v); }
  /// Writes the first `count` lanes, nothing else.
  TRM_INLINE inline void store(T* p, int count) const {
    T part[N];
    store(part);
    for (int i = 0; i < count; ++i) p[i] = part[i];
  }

  // Lane by lane.
  TRM_INLINE friend inline lanes operator+(const lanes& a, const lanes& b) { return {a.v + b.v}; }
  TRM_INLINE friend inline lanes operator-(const lanes& a, const lanes& b) { return {a.v - b.v}; }
  TRM_INLINE friend inline lanes operator*(const lanes& a, const lanes& b) { return {a.v * b.v}; }
  TRM_INLINE friend inline lanes operator/(const lanes& a, const lanes& b) { return {a.v / b.v}; }
  TRM_INLINE inline lanes& operator+=(const lanes& b) { return *this = *this + b; }
  TRM_INLINE inline lanes& operator*=(const lanes& b) { return *this = *this * b; }
};

/// N float32, N words of 32 bits.
template <int N>
using floats = lanes<float, N>;
template <int N>
using words = lanes<std::uint32_t, N>;

/// a * b + c, in one rounding where the instruction set has it and the compiler may contract.
template <int N>
TRM_INLINE inline floats<N> multiply_add(const floats<N>& a, const floats<N>& b, const floats<N>& c) {
  return {a.v * b.v + c.v};
}

/// The same bits.
template <class U, class T, int N>
TRM_INLINE inline lanes<U, N> bits_as(const lanes<T, N>& a) {
  return {(typename lanes<U, N>::native)a.v};
}

/// All bits set in the lanes where a < b; never where one is NaN.
template <int N>
TRM_INLINE inline words<N> less(const floats<N>& a, const floats<N>& b) {
  return {(typename words<N>::native)(a.v < b.v)};
}

/// Where `mask` has all bits set a, elsewhere b.
template <class T, int N>
TRM_INLINE inline lanes<T, N> select(const words<N>& mask, const lanes<T, N>& a, const lanes<T, N>& b) {
  using word = typename words<N>::native;
  return {(typename lanes<T, N>::native)(((word)a.v & mask.v) | ((word)b.v & ~mask.v))};
}

/// The larger one; b where one is NaN.
template <int N>
TRM_INLINE inline floats<N> max(const floats<N>& a, const floats<N>& b) {
  return {b.v < a.v ? a.v : b.v};  // one instruction, to both compilers
}

/// The sum of all lanes, by halves.
template <int N>
TRM_INLINE inline float sum_of(const floats<N>& a) {
  float part[N];
  a.store(part);
  for (int half = N / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) part[i] += part[i + half];
  }
  return part[0];
}

/// N bf16 as the upper halves of 32-bit words, which are their float32 values.
template <int N>
TRM_INLINE inline words<N> load_words(const bf16* p) {
  typedef std::uint16_t half __attribute__((vector_size(2 * N)));
  half h;
  __builtin_memcpy(&h, p, sizeof h);
  return {__builtin_convertvector(h, typename words<N>::native)};
}

/// What trm::bf16(float) gives for each lane, in the low half of the word: round to nearest even, NaN quiet.
template <int N>
TRM_INLINE inline words<N> round_to_bf16(const floats<N>& a) {
  using word = typename words<N>::native;
  const word u = (word)a.v;
  const word rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  const word nan = (word)((u & 0x7fffffffu) > (word{} + 0x7f800000u));
  return {(rounded & ~nan) | (((u >> 16) | 0x40u) & nan)};
}

/// N elements as float32.
template <int N>
TRM_INLINE inline floats<N> load_floats(const float* p) {
  return floats<N>::load(p);
}
template <int N>
TRM_INLINE inline floats<N> load_floats(const bf16* p) {
  return bits_as<float>(words<N>{load_words<N>(p).v << 16});
}
/// N elements from float32; to bf16 rounded to nearest even.
template <int N>
TRM_INLINE inline void store_floats(const floats<N>& a, float* p) {
  a.store(p);
}
template <int N>
TRM_INLINE inline void store_floats(const floats<N>& a, bf16* p) {
  typedef std::uint16_t half __attribute__((vector_size(2 * N)));
  const half h = __builtin_convertvector(round_to_bf16(a).v, half);
  __builtin_memcpy(static_cast<void*>(p), &h, sizeof h);
}
/// The same, but bf16 may be rounded by the processor's own instruction, one for nine: numbers below 2^-126 are zero to it. For
/// activations, whose products see such numbers as zero too.
template <int N>
TRM_INLINE inline void store_activations(const floats<N>& a, float* p) {
  a.store(p);
}
template <int N>
TRM_INLINE inline void store_activations(const floats<N>& a, bf16* p) {
#if defined(__x86_64__) && !defined(__clang__)
  if constexpr (N == 16) {
    if (detail::rounds_to_bf16) {
      typedef std::uint16_t half __attribute__((vector_size(2 * N)));
      half h;
      __asm__("vcvtneps2bf16 %1, %0" : "=v"(h) : "v"(a.v));
      __builtin_memcpy(static_cast<void*>(p), &h, sizeof h);
      return;
    }
  }
#endif
  store_floats(a, p);
}
/// The first `count` elements as float32, zeros after them.
template <int N, class T>
TRM_INLINE inline floats<N> load_floats(const T* p, int count) {
  float part[N] = {};
  for (int i = 0; i < count; ++i) part[i] = static_cast<float>(p[i]);
  return floats<N>::load(part);
}
/// The first `count` lanes only.
template <int N, class T>
TRM_INLINE inline void store_floats(const floats<N>& a, T* p, int count) {
  float part[N];
  a.store(part);
  for (int i = 0; i < count; ++i) p[i] = T(part[i]);
}

}  // namespace trm::cpu

#pragma GCC diagnostic pop
