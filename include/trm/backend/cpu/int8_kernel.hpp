// SPDX-License-Identifier: MIT
// Sums of products of bytes, in registers or tiles along the whole reduction.
//
// Rows lie as they are, four elements of the reduction in a word. A weight lies in panels of 16 outputs, byte (u, j, e) =
// w(j, 4u + e) at 64u + 4j + e: a line is one operand of vpdpbusd, 16 lines are one tile.
#pragma once
#include <cstddef>
#include <cstdint>

#include "trm/backend/cpu/int8_isa.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace trm::cpu {

inline constexpr int int8_panel = 16;  // outputs
inline constexpr int int8_block = 32;  // columns of a tile, two panels

/// sums[i * int8_block + j] = sum_l a(i, l) w(j, l), l < 4 * steps, a without a sign, w with one.
struct int8_tile {
  const std::uint8_t* a;  // (i, l) at a + i * lda + l
  std::ptrdiff_t lda;    // bytes from a row to the next
  const std::int8_t* w;  // the first panel
  std::ptrdiff_t panel;  // bytes from a panel to the next
  int steps;             // words of the reduction
  int panels;            // 1 or 2
  std::int32_t* sums;
};

namespace detail {

template <int Rows>
inline void portable_int8_tile(const int8_tile& t) {
  for (int i = 0; i < Rows; ++i) {
    for (int p = 0; p < t.panels; ++p) {
      std::int32_t sum[int8_panel] = {};
      const std::uint8_t* a = t.a + i * t.lda;
      const std::int8_t* w = t.w + p * t.panel;
      for (int u = 0; u < t.steps; ++u, a += 4, w += 64) {
        for (int j = 0; j < int8_panel; ++j) {
          for (int e = 0; e < 4; ++e) sum[j] += a[e] * w[4 * j + e];
        }
      }
      for (int j = 0; j < int8_panel; ++j) t.sums[i * int8_block + p * int8_panel + j] = sum[j];
    }
  }
}

#if defined(__x86_64__)

/// The words at step `offset` of rows that are `row` bytes apart. An address is a register and 1, 2, 4 or 8 times another one: five
/// rows from each base, and few registers.
struct row_words {
  const std::uint8_t *a0, *a1, *a2;
  std::ptrdiff_t row, three;

  TRM_INLINE row_words(const std::uint8_t* a, std::ptrdiff_t lda)
      : a0(a), a1(a + 5 * lda), a2(a + 10 * lda), row(lda), three(3 * lda) {}
  TRM_INLINE inline int operator()(int i) const {
    int word;
    __builtin_memcpy(&word, (i < 5 ? a0 : i < 10 ? a1 : a2) + (i % 5 == 3 ? three : i % 5 * row), 4);
    return word;
  }
  TRM_INLINE inline void next() {
    a0 += 4, a1 += 4, a2 += 4;
    __asm__("" : "+r"(a0), "+r"(a1), "+r"(a2));  // or the compiler keeps an address for each row, in memory
  }
};

/// Half a panel: vpmaddwd multiplies words of 16 bits, so bytes of even and of odd place are taken apart.
template <int Rows>
TRM_TARGET_AVX2 inline void avx2_int8_tile(const int8_tile& t) {
  const __m256i low = _mm256_set1_epi32(0x00ff00ff);
  for (int half = 0; half < 2 * t.panels; ++half) {
    const std::int8_t* w = t.w + half / 2 * t.panel + half % 2 * 32;
    __m256i s[Rows];
    TRM_UNROLL
    for (int i = 0; i < Rows; ++i) s[i] = _mm256_setzero_si256();
    row_words a(t.a, t.lda);
    for (int u = 0; u < t.steps; ++u, w += 64, a.next()) {
      const __m256i all = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
      const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(all, 8), 8), odd = _mm256_srai_epi16(all, 8);
      TRM_UNROLL
      for (int i = 0; i < Rows; ++i) {
        const __m256i x = _mm256_set1_epi32(a(i));
        s[i] = _mm256_add_epi32(s[i], _mm256_add_epi32(_mm256_madd_epi16(_mm256_and_si256(x, low), even),
                                                       _mm256_madd_epi16(_mm256_srli_epi16(x, 8), odd)));
      }
    }
    TRM_UNROLL
    for (int i = 0; i < Rows; ++i)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(t.sums + i * int8_block + half * 8), s[i]);
  }
}

template <int Rows>
TRM_TARGET_AVX_VNNI inline void avx_vnni_int8_tile(const int8_tile& t) {
  for (int p = 0; p < t.panels; ++p) {
    const std::int8_t* w = t.w + p * t.panel;
    __m256i s[Rows][2];
    TRM_UNROLL
    for (int i = 0; i < Rows; ++i) s[i][0] = s[i][1] = _mm256_setzero_si256();
    row_words a(t.a, t.lda);
    for (int u = 0; u < t.steps; ++u, w += 64, a.next()) {
      const __m256i w0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
      const __m256i w1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + 32));
      TRM_UNROLL
      for (int i = 0; i < Rows; ++i) {
        const __m256i x = _mm256_set1_epi32(a(i));
        s[i][0] = _mm256_dpbusd_avx_epi32(s[i][0], x, w0);
        s[i][1] = _mm256_dpbusd_avx_epi32(s[i][1], x, w1);
      }
    }
    TRM_UNROLL
    for (int i = 0; i < Rows; ++i) {
      auto* to = reinterpret_cast<__m256i*>(t.sums + i * int8_block + p * int8_panel);
      _mm256_storeu_si256(to, s[i][0]);
      _mm256_storeu_si256(to + 1, s[i][1]);
    }
  }
}

template <int Rows, int Panels>
TRM_TARGET_AVX512_VNNI inline void avx512_vnni_int8_tile(const int8_tile& t) {
  __m512i s[Rows][Panels];
  TRM_UNROLL
  for (int i = 0; i < Rows; ++i) {
    TRM_UNROLL
    for (int p = 0; p < Panels; ++p) s[i][p] = _mm512_setzero_si512();
  }
  row_words a(t.a, t.lda);
  const std::int8_t* w = t.w;
  for (int u = 0; u < t.steps; ++u, w += 64, a.next()) {
    __m512i b[Panels];
    TRM_UNROLL
    for (int p = 0; p < Panels; ++p) b[p] = _mm512_loadu_si512(w + p * t.panel);
    TRM_UNROLL
    for (int i = 0; i < Rows; ++i) {
      const __m512i x = _mm512_set1_epi32(a(i));
      TRM_UNROLL
      for (int p = 0; p < Panels; ++p) s[i][p] = _mm512_dpbusd_epi32(s[i][p], x, b[p]);
    }
  }
  TRM_UNROLL
  for (int i = 0; i < Rows; ++i) {
    TRM_UNROLL
    for (int p = 0; p < Panels; ++p) _mm512_storeu_si512(t.sums + i * int8_block + p * int8_panel, s[i][p]);
  }
}

#endif

#if defined(TRM_TARGET_AMX)
/// 16 * Rows rows and Panels panels; needs an amx::tile_scope, and `steps` that are a multiple of 16. The processor multiplies while
/// `meanwhile` runs.
template <int Rows, int Panels, class F>
TRM_TARGET_AMX inline void amx_int8_tile(const int8_tile& t, F& meanwhile) {
  __asm__ volatile("" ::: "memory");  // g++ 12 does not know that tiles are loaded from memory and stored there
  _tile_zero(0);
  if constexpr (Panels == 2) _tile_zero(1);
  if constexpr (Rows == 2) _tile_zero(2);
  if constexpr (Rows == 2 && Panels == 2) _tile_zero(3);
  const std::uint8_t *a0 = t.a, *a1 = t.a + 16 * t.lda;
  const std::int8_t *w0 = t.w, *w1 = t.w + t.panel;
  const auto row = static_cast<std::size_t>(t.lda);
  for (int u = 0; u < t.steps; u += 16, a0 += 64, a1 += 64, w0 += 1024, w1 += 1024) {
    _tile_loadd(6, w0, 64);
    _tile_loadd(4, a0, row);
    _tile_dpbusd(0, 4, 6);
    if constexpr (Panels == 2) {
      _tile_loadd(7, w1, 64);
      _tile_dpbusd(1, 4, 7);
    }
    if constexpr (Rows == 2) {
      _tile_loadd(5, a1, row);
      _tile_dpbusd(2, 5, 6);
      if constexpr (Panels == 2) _tile_dpbusd(3, 5, 7);
    }
  }
  meanwhile();
  __asm__ volatile("" ::: "memory");
  constexpr std::size_t bytes = int8_block * sizeof(std::int32_t);
  _tile_stored(0, t.sums, bytes);
  if constexpr (Panels == 2) _tile_stored(1, t.sums + int8_panel, bytes);
  if constexpr (Rows == 2) _tile_stored(2, t.sums + 16 * int8_block, bytes);
  if constexpr (Rows == 2 && Panels == 2) _tile_stored(3, t.sums + 16 * int8_block + int8_panel, bytes);
  __asm__ volatile("" ::: "memory");
}
#endif

}  // namespace detail

/// The tiles of one instruction set.
template <int8_isa Level>
struct int8_tiles {
  /// The most rows of a tile; those of a call come in multiples of `multiple`.
  static constexpr int rows = Level == int8_isa::amx           ? 32
                              : Level == int8_isa::avx512_vnni ? 14
                              : Level == int8_isa::portable    ? 4
                                                               : 6;
  static constexpr int multiple = Level == int8_isa::amx ? 16 : 2;
  /// The rows that a tile computes when `left` rows are left; those beyond `left` are read and not used.
  static constexpr int rows_for(int left) { return left >= rows ? rows : (left + multiple - 1) / multiple * multiple; }

  /// Runs `meanwhile`, before it writes the sums.
  template <class F>
  static void compute(const int8_tile& t, int count, F&& meanwhile) {
    if constexpr (Level != int8_isa::amx) meanwhile();
    pick<rows>(t, count, meanwhile);
  }

 private:
  template <int Rows, class F>
  static void pick(const int8_tile& t, int count, F& meanwhile) {
    if constexpr (Rows > multiple) {
      if (count < Rows) return pick<Rows - multiple>(t, count, meanwhile);
    }
    if constexpr (Level == int8_isa::portable) {
      detail::portable_int8_tile<Rows>(t);
#if defined(__x86_64__)
    } else if constexpr (Level == int8_isa::avx2) {
      detail::avx2_int8_tile<Rows>(t);
    } else if constexpr (Level == int8_isa::avx_vnni) {
      detail::avx_vnni_int8_tile<Rows>(t);
    } else if constexpr (Level == int8_isa::avx512_vnni) {
      t.panels == 2 ? detail::avx512_vnni_int8_tile<Rows, 2>(t) : detail::avx512_vnni_int8_tile<Rows, 1>(t);
#endif
#if defined(TRM_TARGET_AMX)
    } else if constexpr (Level == int8_isa::amx) {
      t.panels == 2 ? detail::amx_int8_tile<Rows / 16, 2>(t, meanwhile)
                    : detail::amx_int8_tile<Rows / 16, 1>(t, meanwhile);
#endif
    }
  }
};

}  // namespace trm::cpu
