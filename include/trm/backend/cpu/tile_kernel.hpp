// SPDX-License-Identifier: MIT
// Register tiles: the product of two packed strips, held in registers along the whole reduction.
//
// Sizes by instruction set: AVX-512 14 x 32 (28 of 32 registers), AVX2 6 x 16 (12 of 16), otherwise 4 x 8 in vectors of
// 16 bytes. Every element is one chain of additions in the order of the reduction, whatever the size of its tile.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "trm/backend/cpu/packing.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu {

/// c[i * ldc + j] of `rows` x `cols` from a(i, u) = a[u * lda + i] and b(u, j) = b[u * ldb + j], u < steps. Words of a
/// are float32, or pairs with `operand::pairs`; see the kinds below.
struct tile {
  const std::uint32_t* a;
  std::ptrdiff_t lda;
  const std::uint32_t* b;
  std::ptrdiff_t ldb;
  int steps;
  float* c;
  std::ptrdiff_t ldc;
  int rows, cols;
  tile_start start;  // what becomes of what c held
  // What will be read next is fetched to a second-level cache meanwhile, from `ahead` on, so many bytes in each step.
  const char* ahead = nullptr;  // null: nothing
  std::ptrdiff_t ahead_step = 0;
};

/// The operands of a tile.
enum class tile_operands {
  floats,         // both float32
  float_rows,     // both float32, a(i, u) = a[i * lda + u]: rows as they lie, of a whole strip
  float_by_pair,  // a float32, two steps for each step of b, which is bf16 pairs
  pairs,          // both bf16 pairs; needs isa_level::bf16_products
};

namespace detail {

/// What a tile with too few columns has in memory, and zeros, as a whole one; and back.
[[gnu::noinline]] inline void load_edge(const tile& t, float* whole, int width) {
  for (int i = 0; i < t.rows; ++i) {
    for (int j = 0; j < t.cols; ++j) whole[i * width + j] = t.c[i * t.ldc + j];
  }
}
[[gnu::noinline]] inline void store_edge(const tile& t, const float* whole, int width) {
  for (int i = 0; i < t.rows; ++i) {
    float* c = t.c + i * t.ldc;
    for (int j = 0; j < t.cols; ++j)
      c[j] = t.start == tile_start::add ? c[j] + whole[i * width + j] : whole[i * width + j];
  }
}
[[gnu::noinline]] inline void prefetch(const tile& t) {
  for (int i = 0; i < t.rows; ++i) {
    __builtin_prefetch(t.c + i * t.ldc);
    __builtin_prefetch(t.c + i * t.ldc + t.cols - 1);
  }
}

template <int N, int Rows, int Vectors>
struct tile_registers {
  floats<N> v[Rows][Vectors];

  TRM_INLINE inline void begin(const tile& t) {
    float whole[Rows * Vectors * N];
    if (t.start != tile_start::proceed) {
      if (t.start == tile_start::add) prefetch(t);
      TRM_UNROLL
      for (int i = 0; i < Rows; ++i) {
        TRM_UNROLL
        for (int j = 0; j < Vectors; ++j) v[i][j] = floats<N>::zero();
      }
      return;
    }
    const float* c = t.c;
    std::ptrdiff_t ldc = t.ldc;
    if (t.cols != Vectors * N) {
      std::memset(whole, 0, sizeof whole);
      load_edge(t, whole, Vectors * N);
      c = whole;
      ldc = Vectors * N;
    }
    TRM_UNROLL
    for (int i = 0; i < Rows; ++i) {
      TRM_UNROLL
      for (int j = 0; j < Vectors; ++j) {
        v[i][j] = i < t.rows ? floats<N>::load(c + i * ldc + j * N) : floats<N>::zero();
      }
    }
  }
  TRM_INLINE inline void end(const tile& t) {
    if (t.cols != Vectors * N) {
      float whole[Rows * Vectors * N];
      TRM_UNROLL
      for (int i = 0; i < Rows; ++i) {
        TRM_UNROLL
        for (int j = 0; j < Vectors; ++j) v[i][j].store(whole + (i * Vectors + j) * N);
      }
      return store_edge(t, whole, Vectors * N);
    }
    if (t.start == tile_start::add) {
      TRM_UNROLL
      for (int i = 0; i < Rows; ++i) {
        TRM_UNROLL
        for (int j = 0; j < Vectors; ++j) {
          if (i < t.rows) v[i][j] = floats<N>::load(t.c + i * t.ldc + j * N) + v[i][j];
        }
      }
    }
    TRM_UNROLL
    for (int i = 0; i < Rows; ++i) {
      TRM_UNROLL
      for (int j = 0; j < Vectors; ++j) {
        if (i < t.rows) v[i][j].store(t.c + i * t.ldc + j * N);
      }
    }
  }
};

template <int N, int Rows, int Vectors>
TRM_INLINE inline void float_tile(const tile& t) {
  tile_registers<N, Rows, Vectors> sum;
  sum.begin(t);
  const char* a = reinterpret_cast<const char*>(t.a);
  const char* b = reinterpret_cast<const char*>(t.b);
  const char* ahead = t.ahead != nullptr ? t.ahead : a;
  for (int u = 0; u < t.steps; ++u, a += t.lda * 4, b += t.ldb * 4, ahead += t.ahead_step) {
    __builtin_prefetch(ahead, 0, 2);
    floats<N> w[Vectors];
    TRM_UNROLL
    for (int j = 0; j < Vectors; ++j) __builtin_memcpy(&w[j].v, b + j * N * 4, sizeof w[j].v);
    TRM_UNROLL
    for (int i = 0; i < Rows; ++i) {
      float x;
      __builtin_memcpy(&x, a + i * 4, 4);
      TRM_UNROLL
      for (int j = 0; j < Vectors; ++j) sum.v[i][j] = multiply_add(floats<N>::broadcast(x), w[j], sum.v[i][j]);
    }
  }
  sum.end(t);
}

/// The float32 at `p` in every lane.
template <int N>
TRM_INLINE inline floats<N> spread_from(const char* p) {
#if defined(__x86_64__) && !defined(__clang__)
  if constexpr (N > 4) {  // g++ 12 makes a masked load for each lane of what is below
    floats<N> r;
    __asm__("vbroadcastss %1, %0" : "=v"(r.v) : "m"(*reinterpret_cast<const float*>(p)));
    return r;
  }
#endif
  float x;
  __builtin_memcpy(&x, p, 4);
  return floats<N>::broadcast(x);
}

/// The same with rows of a that were not packed.
template <int N, int Rows, int Vectors>
TRM_INLINE inline void float_rows_tile(const tile& t) {
  tile_registers<N, Rows, Vectors> sum;
  sum.begin(t);
  // An address is a register and 1, 2, 4 or 8 times another one: five rows from each base, and few registers.
  static_assert(Rows <= 15);
  const std::ptrdiff_t row = t.lda * 4, three = 3 * row;
  const char* a0 = reinterpret_cast<const char*>(t.a);
  const char* a1 = a0 + 5 * row;
  const char* a2 = a1 + 5 * row;
  const char* b = reinterpret_cast<const char*>(t.b);
  for (int u = 0; u < t.steps; ++u, b += t.ldb * 4) {
    floats<N> w[Vectors];
    TRM_UNROLL
    for (int j = 0; j < Vectors; ++j) __builtin_memcpy(&w[j].v, b + j * N * 4, sizeof w[j].v);
    TRM_UNROLL
    for (int i = 0; i < Rows; ++i) {
      const auto x = spread_from<N>((i < 5 ? a0 : i < 10 ? a1 : a2) + (i % 5 == 3 ? three : i % 5 * row));
      TRM_UNROLL
      for (int j = 0; j < Vectors; ++j) sum.v[i][j] = multiply_add(x, w[j], sum.v[i][j]);
    }
    a0 += 4, a1 += 4, a2 += 4;
    __asm__("" : "+r"(a0), "+r"(a1), "+r"(a2));  // or the compiler keeps an address for each row, in memory
  }
  sum.end(t);
}

template <int N, int Rows, int Vectors>
TRM_INLINE inline void float_by_pair_tile(const tile& t) {
  tile_registers<N, Rows, Vectors> sum;
  sum.begin(t);
  const char* a = reinterpret_cast<const char*>(t.a);
  const std::uint32_t* b = t.b;
  for (int u = 0; u < t.steps; ++u, b += t.ldb) {
    words<N> w[Vectors];
    TRM_UNROLL
    for (int j = 0; j < Vectors; ++j) w[j] = words<N>::load(b + j * N);
    TRM_UNROLL
    for (int half = 0; half < 2; ++half, a += t.lda * 4) {
      floats<N> f[Vectors];
      TRM_UNROLL
      for (int j = 0; j < Vectors; ++j) {
        f[j] = bits_as<float>(half == 0 ? words<N>{w[j].v << 16} : words<N>{w[j].v & 0xffff0000u});
      }
      TRM_UNROLL
      for (int i = 0; i < Rows; ++i) {
        float x;
        __builtin_memcpy(&x, a + i * 4, 4);
        TRM_UNROLL
        for (int j = 0; j < Vectors; ++j) sum.v[i][j] = multiply_add(floats<N>::broadcast(x), f[j], sum.v[i][j]);
      }
    }
  }
  sum.end(t);
}

template <isa Level, tile_operands Operands, int Rows, int Vectors>
inline void compute_tile(const tile& t) {
  with_isa<Level>([&](auto level) TRM_INLINE {
    if constexpr (Operands == tile_operands::floats) {
      float_tile<level.lanes, Rows, Vectors>(t);
    } else if constexpr (Operands == tile_operands::float_rows) {
      float_rows_tile<level.lanes, Rows, Vectors>(t);
    } else {
      float_by_pair_tile<level.lanes, Rows, Vectors>(t);
    }
  });
}

#if defined(__x86_64__)
template <int Rows, int Vectors>
TRM_TARGET_AVX512_BF16 inline void pair_tile(const tile& t) {
  tile_registers<16, Rows, Vectors> sum;
  sum.begin(t);
  __m512 s[Rows][Vectors];
  TRM_UNROLL
  for (int i = 0; i < Rows; ++i) {
    TRM_UNROLL
    for (int j = 0; j < Vectors; ++j) s[i][j] = (__m512)sum.v[i][j].v;
  }
  const char* a = reinterpret_cast<const char*>(t.a);
  const char* b = reinterpret_cast<const char*>(t.b);
  for (int u = 0; u < t.steps; ++u, a += t.lda * 4, b += t.ldb * 4) {
    __m512i w[Vectors];
    TRM_UNROLL
    for (int j = 0; j < Vectors; ++j) w[j] = _mm512_loadu_si512(b + j * 64);
    TRM_UNROLL
    for (int i = 0; i < Rows; ++i) {
      int pair;
      __builtin_memcpy(&pair, a + i * 4, 4);
      const __m512i x = _mm512_set1_epi32(pair);
      TRM_UNROLL
      for (int j = 0; j < Vectors; ++j) s[i][j] = _mm512_dpbf16_ps(s[i][j], (__m512bh)x, (__m512bh)w[j]);
    }
  }
  TRM_UNROLL
  for (int i = 0; i < Rows; ++i) {
    TRM_UNROLL
    for (int j = 0; j < Vectors; ++j) sum.v[i][j].v = (floats<16>::native)s[i][j];
  }
  sum.end(t);
}
#endif

}  // namespace detail

/// The tiles of one instruction set.
template <isa Level>
struct tiles {
  /// The most rows and columns of a tile; rows of a strip come in even numbers.
  static constexpr int rows = Level == isa::portable ? 4 : Level == isa::avx2 ? 6 : 14;
  static constexpr int columns = 2 * isa_level<Level>::lanes;

  /// The rows of the strip for the next tile, when `left` rows are left.
  static constexpr int strip_rows(int left) { return left >= rows ? rows : left + left % 2; }

  /// t.rows <= strip (even, <= rows), t.cols <= columns. `lda` of a packed strip is its width. `b` is read in multiples
  /// of isa_level::lanes columns.
  template <tile_operands Operands>
  static void compute(const tile& t, int strip) {
    constexpr int lanes = isa_level<Level>::lanes;
    if constexpr (lanes == 16) {
      if (t.cols <= lanes) return pick<Operands, 1, rows>(t, strip);
    }
    pick<Operands, 2, rows>(t, strip);
  }

 private:
  template <tile_operands Operands, int Vectors, int Rows>
  static void pick(const tile& t, int strip) {
    if constexpr (Rows > 2 && Operands != tile_operands::float_rows) {
      if (strip < Rows) return pick<Operands, Vectors, Rows - 2>(t, strip);
    }
#if defined(__x86_64__)
    if constexpr (Operands == tile_operands::pairs) return detail::pair_tile<Rows, Vectors>(t);
#endif
    if constexpr (Operands != tile_operands::pairs) {
      // float32 is the same with and without bf16 products
      detail::compute_tile<Level == isa::avx512_bf16 ? isa::avx512 : Level, Operands, Rows, Vectors>(t);
    }
  }
};

}  // namespace trm::cpu

#pragma GCC diagnostic pop
