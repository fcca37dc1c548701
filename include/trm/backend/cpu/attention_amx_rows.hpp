// SPDX-License-Identifier: MIT
// What attention by the processor's tiles (attention_amx.hpp) reads and writes: rows of bf16, turned, in pairs, rounded.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "trm/backend/cpu/amx.hpp"
#include "trm/backend/cpu/attention_blocks.hpp"
#include "trm/backend/cpu/packing.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu::detail {

#if defined(TRM_TARGET_AMX)

/// Rows of bf16 as tiles read them, and vectors of float32 rounded to such rows.
struct amx_rows {
  using F = floats<16>;
  using W = words<16>;
  typedef std::uint16_t native_halves __attribute__((vector_size(64)));
  struct halves {
    native_halves v;
  };
  typedef std::uint16_t half __attribute__((vector_size(32)));
  static constexpr float nan = std::numeric_limits<float>::quiet_NaN();

  /// 16 a in the lower and 16 b in the upper half as bf16, to nearest even. By the processor's instruction, as store_activations;
  /// clang takes it only in functions for that processor, which inlined ones are not.
  TRM_INLINE static inline halves narrow(const F& a, const F& b) {
    halves r;
#if defined(__clang__)
    r.v = joined(__builtin_convertvector(round_to_bf16(a).v, half), __builtin_convertvector(round_to_bf16(b).v, half),
                 std::make_index_sequence<32>());
#else
    __asm__("vcvtne2ps2bf16 %1, %2, %0" : "=v"(r.v) : "v"(a.v), "v"(b.v));
#endif
    return r;
  }
  template <std::size_t... I>
  TRM_INLINE static inline native_halves joined(half a, half b, std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, static_cast<int>(I)...);
  }
  /// The halves of `a` to two rows; the second one may be null.
  template <std::size_t... I>
  TRM_INLINE static inline void store_halves(const halves& a, bf16* first, bf16* second, std::index_sequence<I...>) {
    const half low = __builtin_shufflevector(a.v, a.v, static_cast<int>(I)...);
    __builtin_memcpy(static_cast<void*>(first), &low, sizeof low);
    if (second == nullptr) return;
    const half high = __builtin_shufflevector(a.v, a.v, static_cast<int>(I + 16)...);
    __builtin_memcpy(static_cast<void*>(second), &high, sizeof high);
  }
  TRM_INLINE static inline void store_rows(const halves& a, bf16* first, bf16* second) {
    store_halves(a, first, second, std::make_index_sequence<16>());
  }
  /// The halves of `a` as 16 pairs.
  template <std::size_t... I>
  TRM_INLINE static inline void store_interleaved(const halves& a, std::uint32_t* to, std::index_sequence<I...>) {
    const native_halves r = __builtin_shufflevector(a.v, a.v, static_cast<int>(I / 2 + I % 2 * 16)...);
    __builtin_memcpy(to, &r, sizeof r);
  }
  TRM_INLINE static inline void store_pairs(const halves& a, std::uint32_t* to) {
    store_interleaved(a, to, std::make_index_sequence<32>());
  }
  TRM_INLINE static inline W load_pairs(const bf16* p) {
    W w;
    __builtin_memcpy(&w.v, p, sizeof w.v);
    return w;
  }
  /// Rows side by side, zeros behind them up to `padded` rows. Is one of their elements not finite?
  static bool copy_rows(const bf16* x, std::ptrdiff_t stride, int count, int padded, int d, bf16* out) {
    std::uint32_t any = 0;
    with_isa<isa::avx512>([&](auto) TRM_INLINE {
      W bad = W::zero();
      for (int i = 0; i < count; ++i) {
        for (int c = 0; c < d; c += 32) {
          const W w = load_pairs(x + i * stride + c);
          __builtin_memcpy(static_cast<void*>(out + std::ptrdiff_t{i} * d + c), &w.v, sizeof w.v);
          bad.v |= (W::native)((w.v & 0x7f80u) == 0x7f80u) | (W::native)((w.v & 0x7f800000u) == 0x7f800000u);
        }
      }
      for (int l = 0; l < 16; ++l) any |= bad.v[l];
    });
    std::memset(static_cast<void*>(out + std::ptrdiff_t{count} * d), 0,
                sizeof(bf16) * static_cast<std::size_t>((padded - count) * d));
    return any != 0;
  }
  /// Makes rows with elements that are not finite zero and their flags NaN.
  static void clear_rows(bf16* x, int count, int d, float* flags) {
    for (int i = 0; i < count; ++i) {
      bf16* row = x + std::ptrdiff_t{i} * d;
      if (std::any_of(row, row + d, [](bf16 e) { return (e.bits & 0x7f80u) == 0x7f80u; })) {
        std::fill(row, row + d, bf16());
        flags[i] = nan;
      }
    }
  }
  /// NaN to the scores of flagged keys.
  static void mark_scores(float* s, const float* flags, int begin, int end) {
    for (int j = begin; j < end; ++j) {
      if (flags[j] != 0) std::fill_n(s + std::ptrdiff_t{j - begin} * query_block, query_block, nan);
    }
  }

  /// f(u, i, w): w holds elements 2u and 2u + 1 of the rows [i, i + 16), for all u and `count` / 16 groups of rows.
  template <class G>
  static void turn(const bf16* x, int count, int d, G f) {
    with_isa<isa::avx512>([&](auto) TRM_INLINE {
      for (int i = 0; i < count; i += 16) {
        for (int u = 0; u < d / 2; u += 16) {
          W m[16];
          TRM_UNROLL
          for (int l = 0; l < 16; ++l) m[l] = load_pairs(x + std::ptrdiff_t{i + l} * d + 2 * u);
          transpose(m);
          TRM_UNROLL
          for (int l = 0; l < 16; ++l) f(u + l, i, m[l]);
        }
      }
    });
  }
  /// out[u][i]: pairs of each row's elements, [d / 2][query_block].
  static void turn_words(const bf16* x, int count, int d, std::uint32_t* out) {
    turn(x, count, d, [=](int u, int i, const W& w) TRM_INLINE { w.store(out + std::ptrdiff_t{u} * query_block + i); });
  }
  /// out[c][i]: the transpose, [d][ld].
  static void turn_rows(const bf16* x, int count, int d, bf16* out, std::ptrdiff_t ld) {
    turn(x, count, d, [=](int u, int i, const W& w) TRM_INLINE {
      const half low = __builtin_convertvector(w.v, half), high = __builtin_convertvector(w.v >> 16, half);
      __builtin_memcpy(static_cast<void*>(out + 2 * u * ld + i), &low, sizeof low);
      __builtin_memcpy(static_cast<void*>(out + (2 * u + 1) * ld + i), &high, sizeof high);
    });
  }
  /// out[i / 2][c]: pairs of neighbouring rows, [count / 2][d].
  static void pair_rows(const bf16* x, int count, int d, std::uint32_t* out) {
    with_isa<isa::avx512>([&](auto) TRM_INLINE {
      for (int i = 0; i < count; i += 2) {
        for (int c = 0; c < d; c += 16) {
          const bf16* p = x + std::ptrdiff_t{i} * d + c;
          W{load_words<16>(p).v | (load_words<16>(p + d).v << 16)}.store(out + std::ptrdiff_t{i / 2} * d + c);
        }
      }
    });
  }
};

#endif

}  // namespace trm::cpu::detail

#pragma GCC diagnostic pop
