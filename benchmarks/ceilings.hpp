// SPDX-License-Identifier: MIT
// The ceilings of this machine, measured by the program that is judged by them, in the same run.
#pragma once
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>

#include "arithmetic_peak.hpp"
#include "bandwidth.hpp"

namespace trm_benchmark {

/// What a product multiplies.
enum class number_type { float32, bf16, int8 };

inline const arithmetic_peaks& peaks() {
  static const arithmetic_peaks measured = measure_arithmetic();
  return measured;
}

/// GFLOP/s of one thread with the best of the instructions that the current level may use.
inline double peak(number_type type) {
  using trm::cpu::isa;
  const arithmetic_peaks& p = peaks();
  const isa level = trm::cpu::current_isa();
  const bool pairs = level >= isa::avx512_bf16, tiles = level > isa::avx512_bf16;
  switch (type) {
    case number_type::bf16:
      return std::max({p.float32, pairs ? p.bf16_pairs : 0, tiles ? p.bf16_tiles : 0});
    case number_type::int8:
      return std::max({p.float32, p.int8_lanes, tiles ? p.int8_tiles : 0});
    default:
      return p.float32;
  }
}

/// A cache or the memory.
struct memory_level {
  const char* name;
  double capacity;       // bytes that one thread may take
  std::size_t measured;  // bytes of one thread whose bandwidth stands for it
};

/// Only a sign of life is wanted: the smoke tests.
inline bool quick() { return std::getenv("TRM_BENCHMARK_QUICK") != nullptr; }

inline const std::array<memory_level, 4>& memory_levels() {
  static const std::array<memory_level, 4> levels = [] {
    const auto size = [](int name, long otherwise) {
      const long bytes = ::sysconf(name);
      return static_cast<std::size_t>(bytes > 0 ? bytes : otherwise);
    };
    const std::size_t l1 = size(_SC_LEVEL1_DCACHE_SIZE, 32 << 10), l2 = size(_SC_LEVEL2_CACHE_SIZE, 1 << 20),
                      l3 = std::max(size(_SC_LEVEL3_CACHE_SIZE, 16 << 20), 2 * l2);
    // A virtual machine sees the whole last-level cache of a processor that it has a few cores of.
    const std::size_t processors = static_cast<std::size_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    const std::size_t some = std::min(std::max(4 * l2, l3 / 16), l3 / processors);
    const std::size_t most =
        quick() ? std::size_t{64} << 20 : std::clamp(2 * l3, std::size_t{256} << 20, std::size_t{512} << 20);
    return std::array<memory_level, 4>{{{"L1", 1.0 * static_cast<double>(l1), l1 / 2},
                                        {"L2", 1.0 * static_cast<double>(l2), l2 / 2},
                                        {"L3", static_cast<double>(l3) / static_cast<double>(processors), some},
                                        {"memory", 1e18, most / processors}}};
  }();
  return levels;
}

/// Where operands of `bytes` in all can lie at best.
inline const memory_level& level_of(double bytes) {
  for (const memory_level& level : memory_levels()) {
    if (bytes <= level.capacity) return level;
  }
  return memory_levels().back();
}

/// GB/s of all threads together. Where something is written, the faster of the sum and the triad, so that it stays a ceiling.
inline double bandwidth(const memory_level& level, bool writes, int threads) {
  static std::map<std::pair<std::string, std::pair<bool, int>>, double> measured;
  const auto get = [&](bool triad) {
    double& rate = measured[{level.name, {triad, threads}}];
    if (rate == 0) rate = measure_bandwidth(level.measured, triad, threads);
    return rate;
  };
  return writes ? std::max(get(false), get(true)) : get(false);
}

/// The ceilings as benchmarks of their own: ceiling/float32, ceiling/read/L1/threads:2, ...
inline void register_ceilings() {
  const auto show = [](const std::string& name, const char* unit, auto f) {
    benchmark::RegisterBenchmark(("ceiling/" + name).c_str(), [=](benchmark::State& state) {
      for (auto _ : state) {
      }
      const double value = f();
      if (value == 0) {
        state.SkipWithError("the processor has no such instruction");
      } else {
        state.counters[unit] = value;
      }
    })->Iterations(1);
  };
  show("float32", "GFLOP/s", [] { return peaks().float32; });
  show("bf16_pairs", "GFLOP/s", [] { return peaks().bf16_pairs; });
  show("bf16_tiles", "GFLOP/s", [] { return peaks().bf16_tiles; });
  show("int8_lanes", "GFLOP/s", [] { return peaks().int8_lanes; });
  show("int8_tiles", "GFLOP/s", [] { return peaks().int8_tiles; });
  show("bf16_in_use", "GFLOP/s", [] { return peak(number_type::bf16); });
  show("int8_in_use", "GFLOP/s", [] { return peak(number_type::int8); });
  const int all = static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  for (const memory_level& level : memory_levels()) {
    for (const bool triad : {false, true}) {
      for (int threads = 1; threads <= all; threads += std::max(1, all - 1)) {
        show(std::string(triad ? "triad/" : "read/") + level.name + "/threads:" + std::to_string(threads), "GB/s",
             [=, &level] {
               if (!triad) return bandwidth(level, false, threads);
               return measure_bandwidth(level.measured, true, threads);
             });
      }
    }
  }
}

}  // namespace trm_benchmark
