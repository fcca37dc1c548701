// SPDX-License-Identifier: MIT
// Matrix products of a provider at the model's shapes, as shares of what the arithmetic units can do.
#pragma once
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "trm/backend/cpu/product_provider.hpp"
#include "trm/backend/cpu/tile_kernel.hpp"
#include "trm/core/buffer.hpp"

namespace trm_benchmark {

/// The shortest of many runs: other processes only ever add time. One thread is measured by the time that it computed,
/// several by the clock on the wall.
class stopwatch {
 public:
  explicit stopwatch(int threads) : clock_(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC) {}
  template <class F>
  void time(F&& f) {
    const double begin = now();
    f();
    best_ = std::min(best_, now() - begin);
  }
  double best() const { return best_; }

 private:
  double now() const {
    timespec t;
    clock_gettime(clock_, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  }
  clockid_t clock_;
  double best_ = 1e9;
};

/// GFLOP/s of register tiles whose operands do not leave the first-level cache: the ceiling of T on one thread.
template <class T>
double measure_peak() {
  using namespace trm::cpu;
  double rate = 0;
  at_level(current_isa(), [&](auto level) {
    using kernel = tiles<level.value>;
    constexpr bool pairs = std::is_same_v<T, trm::bf16> && level.bf16_products;
    constexpr tile_operands operands = pairs ? tile_operands::pairs : tile_operands::floats;
    constexpr int steps = 50000;
    alignas(64) std::uint32_t a[64] = {}, b[64] = {};
    alignas(64) float c[kernel::rows * kernel::columns];
    stopwatch watch(1);
    for (int round = 0; round < 50; ++round) {
      watch.time([&] {
        kernel::template compute<operands>(
            {a, 0, b, 0, steps, c, kernel::columns, kernel::rows, kernel::columns, tile_start::replace}, kernel::rows);
        benchmark::DoNotOptimize(c[0]);
      });
    }
    rate = 2e-9 * kernel::rows * kernel::columns * steps * (pairs ? 2 : 1) / watch.best();
  });
  return rate;
}
template <class T>
double peak(int threads) {
  static const double one = measure_peak<T>();
  return one * threads;
}

template <class T>
void report(benchmark::State& state, double flops, double seconds, int threads) {
  state.counters["GFLOP/s"] = 1e-9 * flops / seconds;
  state.counters["peak_%"] = 100 * 1e-9 * flops / seconds / peak<T>(threads);
  state.counters["best_us"] = 1e6 * seconds;
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

/// [m, k] x [n, k]^T; flipped: rows and channels of the activations exchanged, as the token mixer reads them.
struct shape {
  int m, n, k;
  bool flipped;
};

template <class P, class T>
void multiply(benchmark::State& state, shape s, int threads) {
  using namespace trm::cpu;
  const auto count = [](int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); };
  const trm::buffer a = random_values<T>(count(s.m, s.k)), w = random_values<float>(count(s.n, s.k));
  trm::buffer prepared(P::template prepared_bytes<T>(s.n, s.k));
  P::template prepare<T, float>({w.as<float>(), s.k, 1}, s.n, s.k, prepared.data());
  const std::size_t workspace = P::template multiply_workspace<T>(s.n, s.k),
                    tile = count(P::row_block, s.n) * sizeof(float) / 64 * 64 + 64;
  const trm::buffer memory((workspace + tile) * static_cast<std::size_t>(threads));
  const strided<const T> x = s.flipped ? strided<const T>{a.as<T>(), 1, s.m} : strided<const T>{a.as<T>(), s.k, 1};
  thread_pool pool(threads);
  const int rounds = (s.m + P::row_block * threads - 1) / (P::row_block * threads);
  const int block = (s.m + rounds * threads - 1) / (rounds * threads);
  stopwatch watch(threads);
  for (auto _ : state) {
    watch.time([&] {
      pool.run((s.m + block - 1) / block, [&](int task, int worker) {
        std::byte* own = memory.data() + (workspace + tile) * static_cast<std::size_t>(worker);
        P::template multiply<T>({x.data + task * block * x.row, x.row, x.col}, std::min(block, s.m - task * block),
                                prepared.data(), s.n, s.k, reinterpret_cast<float*>(own), s.n, own + tile);
      });
    });
  }
  report<T>(state, 2.0 * s.m * s.n * s.k, watch.best(), threads);
}

template <class P, class T>
void accumulate(benchmark::State& state, shape s, int threads) {
  using namespace trm::cpu;
  const auto count = [](int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); };
  const trm::buffer d = random_values<T>(count(s.m, s.n)), x = random_values<T>(count(s.m, s.k)),
                    g = random_values<float>(count(s.n, s.k));
  const trm::buffer memory(P::template accumulate_workspace<T>(s.n, s.k));
  const auto view = [&](const trm::buffer& b, int width) {
    return s.flipped ? strided<const T>{b.as<T>(), 1, s.m} : strided<const T>{b.as<T>(), width, 1};
  };
  thread_pool pool(threads);
  stopwatch watch(threads);
  for (auto _ : state) {
    watch.time([&] {
      P::template accumulate<T, float>(pool, 1, s.m, view(d, s.n), 0, s.n, view(x, s.k), 0, s.k, g.as<float>(), s.k,
                                       memory.data());
    });
  }
  report<T>(state, 2.0 * s.m * s.n * s.k, watch.best(), threads);
}

template <class P, class T>
void prepare(benchmark::State& state, shape s) {
  const trm::buffer w = random_values<float>(static_cast<std::size_t>(s.n) * static_cast<std::size_t>(s.k));
  const trm::buffer prepared(P::template prepared_bytes<T>(s.n, s.k));
  stopwatch watch(1);
  for (auto _ : state) {
    watch.time([&] { P::template prepare<T, float>({w.as<float>(), s.k, 1}, s.n, s.k, prepared.data()); });
  }
  state.counters["best_us"] = 1e6 * watch.best();
}

template <class P, class T>
void register_type(const std::string& provider) {
  const std::string type = std::is_same_v<T, float> ? "/float32/" : "/bf16/";
  constexpr shape shapes[] = {{97 * 8, 1536, 512, false}, {97 * 8, 512, 512, false}, {97 * 8, 3072, 512, false},
                              {97 * 8, 512, 1536, false}, {97, 512, 512, false},     {916, 1536, 512, false},
                              {1024, 97, 97, true},       {1024, 512, 97, true},     {64 * 32, 384, 128, false},
                              {1, 512, 512, false}};
  for (const shape& s : shapes) {
    const std::string size =
        std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k) + (s.flipped ? "/flipped" : "");
    for (int threads : {1, 2}) {
      const std::string name = type + size + "/threads:" + std::to_string(threads);
      const auto add = [](const std::string& full, auto f) {
        benchmark::RegisterBenchmark(full.c_str(), f)->MinTime(0.05)->UseRealTime();
      };
      add(provider + "/multiply" + name, [=](benchmark::State& state) { multiply<P, T>(state, s, threads); });
      add(provider + "/accumulate" + name, [=](benchmark::State& state) { accumulate<P, T>(state, s, threads); });
    }
  }
  benchmark::RegisterBenchmark((provider + "/prepare" + type + "1536x512").c_str(), [](benchmark::State& state) {
    prepare<P, T>(state, {0, 1536, 512, false});
  })->MinTime(0.05);
}

template <class P>
void register_provider(const std::string& name) {
  register_type<P, float>(name);
  register_type<P, trm::bf16>(name);
}

}  // namespace trm_benchmark
