// SPDX-License-Identifier: MIT
// What the caches and the memory deliver: a sum over an array, and the triad a = b + s c.
#pragma once
#include <algorithm>
#include <cstddef>

#include "stopwatch.hpp"
#include "trm/backend/cpu/lanes.hpp"
#include "trm/backend/cpu/thread_pool.hpp"
#include "trm/core/buffer.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm_benchmark {

namespace detail {

template <int N>
TRM_INLINE inline void read_all(const float* p, std::size_t count, float* result) {
  using trm::cpu::floats;
  floats<N> s[8];
  TRM_UNROLL
  for (int i = 0; i < 8; ++i) s[i] = floats<N>::zero();
  for (std::size_t at = 0; at + 8 * N <= count; at += 8 * N) {
    TRM_UNROLL
    for (int i = 0; i < 8; ++i) s[i] += floats<N>::load(p + at + static_cast<std::size_t>(i) * N);
  }
  TRM_UNROLL
  for (int i = 0; i < 8; ++i) s[i].store(result + i * N);
}

template <int N>
TRM_INLINE inline void triad(float* a, const float* b, const float* c, std::size_t count) {
  using trm::cpu::floats;
  const auto scale = floats<N>::broadcast(0.5f);
  for (std::size_t at = 0; at + 4 * N <= count; at += 4 * N) {
    TRM_UNROLL
    for (int i = 0; i < 4; ++i) {
      const std::size_t j = at + static_cast<std::size_t>(i) * N;
      multiply_add(scale, floats<N>::load(c + j), floats<N>::load(b + j)).store(a + j);
    }
  }
}

}  // namespace detail

/// GB/s of all `threads` together, each of which goes again and again through `bytes` of its own. The triad counts three arrays;
/// that a cache line is read before it is written is not counted.
inline double measure_bandwidth(std::size_t bytes, bool writes, int threads) {
  using namespace trm::cpu;
  const std::size_t count = bytes / sizeof(float) / 3 / 256 * 256;  // of one of three arrays
  const trm::buffer memory(3 * count * sizeof(float) * static_cast<std::size_t>(threads));
  const int repetitions = static_cast<int>(std::max<std::size_t>(1, (std::size_t{4} << 20) / bytes));
  thread_pool pool(threads);
  stopwatch watch(threads);
  const auto run = [&] {
    pool.run(threads, [&](int task, int) {
      alignas(64) float sums[128];
      float* p = memory.as<float>() + static_cast<std::size_t>(task) * 3 * count;
      for_isa(current_isa(), [&](auto level) TRM_INLINE {
        for (int r = 0; r < repetitions; ++r) {
          if (writes) {
            detail::triad<level.lanes>(p, p + count, p + 2 * count, count);
          } else {
            detail::read_all<level.lanes>(p, 3 * count, sums);
          }
          __asm__ volatile("" : : "r"(p), "r"(sums) : "memory");
        }
      });
    });
  };
  const int rounds = bytes > (std::size_t{64} << 20) ? 3 : 30;
  for (int round = 0; round < rounds; ++round) watch.time(run);
  return 1e-9 * 12 * static_cast<double>(count) * repetitions * threads / watch.best();
}

}  // namespace trm_benchmark

#pragma GCC diagnostic pop
