// SPDX-License-Identifier: MIT
// Matrix products of a provider at the model's shapes, without sinks: providers side by side, as shares of the arithmetic peak.
#pragma once
#include <algorithm>
#include <string>

#include "measure.hpp"
#include "trm/backend/cpu/product_provider.hpp"

namespace trm_benchmark {

/// [m, k] x [n, k]^T; flipped: rows and channels of the activations exchanged, as the token mixer reads them.
struct shape {
  int m, n, k;
  bool flipped;

  template <class T>
  work multiplied() const {
    const double a = 1.0 * m * k * sizeof(T), w = 1.0 * n * k * sizeof(T), out = 4.0 * m * n;
    return {2.0 * m * n * k, a + w, out, type_of<T>()};
  }
  template <class T>
  work accumulated() const {
    const double d = 1.0 * m * n * sizeof(T), x = 1.0 * m * k * sizeof(T), sums = 4.0 * n * k;
    return {2.0 * m * n * k, d + x + sums, sums, type_of<T>()};
  }
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
  measure(state, s.multiplied<T>(), threads, [&] {
    pool.run((s.m + block - 1) / block, [&](int task, int worker) {
      std::byte* own = memory.data() + (workspace + tile) * static_cast<std::size_t>(worker);
      P::template multiply<T>({x.data + task * block * x.row, x.row, x.col}, std::min(block, s.m - task * block),
                              prepared.data(), s.n, s.k, reinterpret_cast<float*>(own), s.n, own + tile);
    });
  });
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
  measure(state, s.accumulated<T>(), threads, [&] {
    P::template accumulate<T, float>(pool, 1, s.m, view(d, s.n), 0, s.n, view(x, s.k), 0, s.k, g.as<float>(), s.k,
                                     memory.data());
  });
}

template <class P, class T>
void prepare(benchmark::State& state, shape s) {
  const trm::buffer w = random_values<float>(static_cast<std::size_t>(s.n) * static_cast<std::size_t>(s.k));
  const trm::buffer prepared(P::template prepared_bytes<T>(s.n, s.k));
  const double elements = 1.0 * s.n * s.k;
  measure(state, {0, 4 * elements, elements * sizeof(T)}, 1, [&] {
    P::template prepare<T, float>({w.as<float>(), s.k, 1}, s.n, s.k, prepared.data());
  });
}

template <class P, class T>
void register_type(const std::string& provider) {
  std::string type("/");  // appended to: g++ 12 sees overlapping copies in a sum that begins with a literal
  type.append(type_name<T>()).append("/");
  constexpr shape shapes[] = {{97 * 8, 1536, 512, false}, {97 * 8, 512, 512, false}, {97 * 8, 3072, 512, false},
                              {97 * 8, 512, 1536, false}, {97, 512, 512, false},     {916, 1536, 512, false},
                              {1024, 97, 97, true},       {1024, 512, 97, true},     {64 * 32, 384, 128, false},
                              {1, 512, 512, false}};
  for (const shape& s : shapes) {
    const std::string size =
        std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k) + (s.flipped ? "/flipped" : "");
    for (int threads : {1, 2}) {
      const std::string name = type + size + "/threads:" + std::to_string(threads);
      add(provider + "/multiply" + name, [=](benchmark::State& state) {
        multiply<P, T>(state, s, threads);
      })->UseRealTime();
      add(provider + "/accumulate" + name, [=](benchmark::State& state) {
        accumulate<P, T>(state, s, threads);
      })->UseRealTime();
    }
  }
  add(provider + "/prepare" + type + "1536x512/threads:1", [](benchmark::State& state) {
    prepare<P, T>(state, {0, 1536, 512, false});
  });
}

template <class P>
void register_provider(const std::string& name) {
  register_type<P, float>("products/" + name);
  register_type<P, trm::bf16>("products/" + name);
}

}  // namespace trm_benchmark
