// SPDX-License-Identifier: MIT
// How a benchmark measures and what it reports: the shortest of many runs, and its share of a floor.
#pragma once
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>

#include "ceilings.hpp"
#include "trm/core/buffer.hpp"

namespace trm_benchmark {

/// What one run of an operation cannot do without.
struct work {
  double flops = 0;              // of matrix products and attention; what sinks, exp and norms take comes on top
  double reads = 0, writes = 0;  // bytes, every operand once
  number_type type = number_type::float32;  // of the products

  double bytes() const { return reads + writes; }
};

/// The least time in seconds in which `threads` threads could do it: the arithmetic at its peak, or the bytes at the bandwidth of
/// the cache that all operands fit into, whichever takes longer.
inline double arithmetic_floor(const work& w, int threads) {
  return w.flops == 0 ? 0 : 1e-9 * w.flops / (peak(w.type) * threads);
}
inline double memory_floor(const work& w, int threads) {
  const memory_level& level = level_of(w.bytes() / threads);
  return 1e-9 * w.bytes() / bandwidth(level, w.writes > 0, threads);
}
inline double floor_seconds(const work& w, int threads) {
  return std::max(arithmetic_floor(w, threads), memory_floor(w, threads));
}

/// The counters that report.py reads. share: percent of the floor that was reached; 100 cannot be exceeded by much.
inline void report(benchmark::State& state, const work& w, double seconds, int threads) {
  const double floor = floor_seconds(w, threads);
  state.counters["best_us"] = 1e6 * seconds;
  state.counters["floor_us"] = 1e6 * floor;
  state.counters["share"] = 100 * floor / seconds;
  if (w.flops > 0) {
    state.counters["GFLOP/s"] = 1e-9 * w.flops / seconds;
    state.counters["FLOP/byte"] = w.flops / w.bytes();
  }
  state.counters["GB/s"] = 1e-9 * w.bytes() / seconds;
  state.counters["memory_bound"] = memory_floor(w, threads) > arithmetic_floor(w, threads);
}

/// Runs f() again and again and reports the shortest run. Not a template: what is measured is compiled once.
inline void measure(benchmark::State& state, const work& w, int threads, const std::function<void()>& f) {
  stopwatch watch(threads);
  f();  // what is made at the first call
  for (auto _ : state) watch.time(f);
  report(state, w, watch.best(), threads);
}

/// A benchmark under `name`; f(state).
template <class F>
benchmark::internal::Benchmark* add(const std::string& name, F f) {
  return benchmark::RegisterBenchmark(name.c_str(), f)->Unit(benchmark::kMicrosecond);
}

template <class T>
trm::buffer random_values(std::size_t count) {
  trm::buffer memory(count * sizeof(T));
  std::uint32_t x = 1;
  for (std::size_t i = 0; i < count; ++i) {
    x = x * 1664525u + 1013904223u;
    memory.as<T>()[i] = T(static_cast<float>(x >> 8) / 16777216.0f - 0.5f);
  }
  return memory;
}

template <class T>
constexpr const char* type_name() {
  return std::is_same_v<T, float> ? "float32" : "bf16";
}
template <class T>
constexpr number_type type_of() {
  return std::is_same_v<T, float> ? number_type::float32 : number_type::bf16;
}

}  // namespace trm_benchmark
