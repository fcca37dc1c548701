// SPDX-License-Identifier: MIT
// The kernels of the CPU backend at the model's shapes: built-in products, attention, and the ceilings that they are
// measured by. With libraries as the provider: cpu_kernels.onednn.cpp, cpu_kernels.cblas.cpp.
#include "cpu_kernels.hpp"

#include "trm/backend/cpu/attention_kernel.hpp"
#include "trm/backend/cpu/builtin_product.hpp"

namespace {

using namespace trm_benchmark;

template <class T>
void show_peak(benchmark::State& state) {
  for (auto _ : state) state.counters["GFLOP/s"] = peak<T>(1);
}

/// All heads of one sample. FLOPs count every query with every key, the gradient as 2.5 times the forward pass.
template <class T>
void attention(benchmark::State& state, int rows, int heads, int head_dim, bool causal, bool gradient, int threads) {
  using namespace trm::cpu;
  const auto count = [](int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); };
  const int width = heads * head_dim;
  const trm::buffer qkv = random_values<T>(count(rows, 3 * width)), d_o = random_values<T>(count(rows, width));
  const trm::buffer o = random_values<T>(count(rows, width)), lse = random_values<float>(count(rows, heads));
  const trm::buffer gradients(count(3 * heads, width) * static_cast<std::size_t>(rows) * sizeof(float));
  const std::size_t bytes =
      std::max(attention_forward_workspace<T>(rows, head_dim), attention_backward_workspace<T>(rows, head_dim));
  const trm::buffer memory(bytes * static_cast<std::size_t>(threads));
  thread_pool pool(threads);
  const auto visible = [=](int i) { return causal ? i + 1 : rows; };
  stopwatch watch(threads);
  for (auto _ : state) {
    watch.time([&] {
      pool.run(heads, [&](int h, int worker) {
        const T* q = qkv.as<T>() + h * head_dim;
        void* workspace = memory.data() + bytes * static_cast<std::size_t>(worker);
        if (gradient) {
          const std::ptrdiff_t one = std::ptrdiff_t{rows} * head_dim;
          float* g = gradients.as<float>() + 3 * h * one;
          attention_backward<T>(q, q + width, q + 2 * width, 3 * width, rows, head_dim, 0.125f, visible,
                                o.as<T>() + h * head_dim, d_o.as<T>() + h * head_dim, width, lse.as<float>() + h, heads,
                                g, g + one, g + 2 * one, workspace);
        } else {
          attention_forward<T>(q, q + width, q + 2 * width, 3 * width, rows, head_dim, 0.125f, visible,
                               o.as<T>() + h * head_dim, width, lse.as<float>() + h, heads, workspace);
        }
      });
    });
  }
  report<float>(state, (gradient ? 10.0 : 4.0) * rows * rows * width, watch.best(), threads);
}

template <class T>
void register_attention(const std::string& type) {
  for (int threads : {1, 2}) {
    for (int rows : {32, 97, 916}) {
      for (bool gradient : {false, true}) {
        for (bool causal : {false, true}) {
          const int heads = rows == 32 ? 4 : 8, head_dim = rows == 32 ? 32 : 64;
          const std::string name = std::string("attention/") + (gradient ? "gradient/" : "forward/") +
                                   (causal ? "causal/" : "") + type + "/" + std::to_string(rows) + "x" +
                                   std::to_string(heads) + "x" + std::to_string(head_dim) +
                                   "/threads:" + std::to_string(threads);
          benchmark::RegisterBenchmark(
              name.c_str(),
              [=](benchmark::State& state) { attention<T>(state, rows, heads, head_dim, causal, gradient, threads); })
              ->MinTime(0.05)
              ->UseRealTime();
        }
      }
    }
  }
}

const bool registered = [] {
  benchmark::RegisterBenchmark("peak/float32", show_peak<float>)->Iterations(1);
  benchmark::RegisterBenchmark("peak/bf16", show_peak<trm::bf16>)->Iterations(1);
  register_provider<trm::cpu::builtin_product>("builtin");
  register_attention<float>("float32");
  register_attention<trm::bf16>("bf16");
  return true;
}();

}  // namespace
