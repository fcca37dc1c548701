// SPDX-License-Identifier: MIT
// What the arithmetic units can do: chains of multiplications and additions that never leave the registers. Written apart from the
// library's kernels, which are judged by it.
#pragma once
#include <cstdint>
#include <string>

#include "stopwatch.hpp"
#include "trm/backend/cpu/lanes.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm_benchmark {

namespace detail {

inline constexpr long peak_steps = 20000;  // of a chain: tens of microseconds

/// Independent chains of an instruction: as many as two units of four to six cycles keep busy.
template <int N>
inline constexpr int chains = N == 16 ? 16 : 12;

template <int N>
TRM_INLINE inline void float_chains(float* values) {
  using trm::cpu::floats;
  floats<N> s[chains<N>];
  const auto x = floats<N>::broadcast(values[0]), y = floats<N>::broadcast(values[1]);
  TRM_UNROLL
  for (int i = 0; i < chains<N>; ++i) s[i] = floats<N>::load(values + i * N);
  for (long step = 0; step < peak_steps; ++step) {
    TRM_UNROLL
    for (int i = 0; i < chains<N>; ++i) s[i] = multiply_add(s[i], x, y);
  }
  TRM_UNROLL
  for (int i = 0; i < chains<N>; ++i) s[i].store(values + i * N);
}

/// FLOP/s of a function that does `flops` at each call.
template <class F>
double best_rate(double flops, F f) {
  stopwatch watch(1);
  for (int round = 0; round < 30; ++round) watch.time(f);
  return flops / watch.best();
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512bf16"))) inline void pair_chains(float* values) {
  __m512 s[chains<16>];
  const __m512bh x = (__m512bh)_mm512_loadu_ps(values), y = (__m512bh)_mm512_loadu_ps(values + 16);
  TRM_UNROLL
  for (int i = 0; i < chains<16>; ++i) s[i] = _mm512_loadu_ps(values + i * 16);
  for (long step = 0; step < peak_steps; ++step) {
    TRM_UNROLL
    for (int i = 0; i < chains<16>; ++i) s[i] = _mm512_dpbf16_ps(s[i], x, y);
  }
  TRM_UNROLL
  for (int i = 0; i < chains<16>; ++i) _mm512_storeu_ps(values + i * 16, s[i]);
}

__attribute__((target("avx512f,avx512vnni"))) inline void byte_chains(std::int32_t* values) {
  __m512i s[chains<16>];
  const __m512i x = _mm512_loadu_si512(values), y = _mm512_loadu_si512(values + 16);
  TRM_UNROLL
  for (int i = 0; i < chains<16>; ++i) s[i] = _mm512_loadu_si512(values + i * 16);
  for (long step = 0; step < peak_steps; ++step) {
    TRM_UNROLL
    for (int i = 0; i < chains<16>; ++i) s[i] = _mm512_dpbusd_epi32(s[i], x, y);
  }
  TRM_UNROLL
  for (int i = 0; i < chains<16>; ++i) _mm512_storeu_si512(values + i * 16, s[i]);
}

/// Tiles of 16 rows of 64 bytes: six that sum, two that are multiplied.
struct alignas(64) tile_configuration {
  std::uint8_t palette = 1, first_row = 0, reserved[14] = {};
  std::uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
#define TRM_BENCHMARK_TILES(type, instruction)                                       \
  __attribute__((target("amx-tile,amx-" type))) inline void instruction##_chains() { \
    static constexpr tile_configuration tiles;                                       \
    _tile_loadconfig(&tiles);                                                        \
    _tile_zero(0);                                                                   \
    _tile_zero(1);                                                                   \
    _tile_zero(2);                                                                   \
    _tile_zero(3);                                                                   \
    _tile_zero(4);                                                                   \
    _tile_zero(5);                                                                   \
    _tile_zero(6);                                                                   \
    _tile_zero(7);                                                                   \
    for (long step = 0; step < peak_steps / 20; ++step) {                            \
      _tile_##instruction(0, 6, 7);                                                  \
      _tile_##instruction(1, 6, 7);                                                  \
      _tile_##instruction(2, 6, 7);                                                  \
      _tile_##instruction(3, 6, 7);                                                  \
      _tile_##instruction(4, 6, 7);                                                  \
      _tile_##instruction(5, 6, 7);                                                  \
    }                                                                                \
    _tile_release();                                                                 \
  }
TRM_BENCHMARK_TILES("bf16", dpbf16ps)
TRM_BENCHMARK_TILES("int8", dpbusd)
#undef TRM_BENCHMARK_TILES

/// vpdpbusd on 512 bits.
inline bool has_byte_products() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c & 1u << 11) != 0;
}
#endif

}  // namespace detail

/// GFLOP/s (for int8 GOP/s) of one thread; 0 where the processor lacks the instruction.
struct arithmetic_peaks {
  double float32 = 0;     // of the widest vectors that the library uses at the current level
  double bf16_pairs = 0;  // vdpbf16ps
  double bf16_tiles = 0;  // AMX tdpbf16ps
  double int8_lanes = 0;  // vpdpbusd on 512 bits
  double int8_tiles = 0;  // AMX tdpbusd
};

inline arithmetic_peaks measure_arithmetic() {
  using namespace trm::cpu;
  arithmetic_peaks p;
  alignas(64) float values[16 * 16] = {};
  at_level(current_isa(), [&](auto level) {
    constexpr int n = level.lanes;
    p.float32 = 1e-9 * detail::best_rate(2.0 * n * detail::chains<n> * detail::peak_steps, [&] {
                  with_isa<level.value>([&](auto l) TRM_INLINE { detail::float_chains<l.lanes>(values); });
                });
  });
#if defined(__x86_64__)
  using detail::chains, detail::peak_steps, detail::best_rate;
  const double vectors = 1e-9 * chains<16> * peak_steps * 16 * 2;
  const double tiles = 1e-9 * 6 * (peak_steps / 20) * 16 * 16 * 16 * 2;
  if (current_isa() >= isa::avx512) {
    alignas(64) std::int32_t bytes[16 * 16] = {};
    if (detect_isa() >= isa::avx512_bf16) p.bf16_pairs = 2 * best_rate(vectors, [&] { detail::pair_chains(values); });
    if (detail::has_byte_products()) p.int8_lanes = 4 * best_rate(vectors, [&] { detail::byte_chains(bytes); });
    if (amx::available()) {
      p.bf16_tiles = 2 * best_rate(tiles, [] { detail::dpbf16ps_chains(); });
      p.int8_tiles = 4 * best_rate(tiles, [] { detail::dpbusd_chains(); });
    }
  }
#endif
  return p;
}

}  // namespace trm_benchmark

#pragma GCC diagnostic pop
