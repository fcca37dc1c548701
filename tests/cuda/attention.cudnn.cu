// SPDX-License-Identifier: MIT
// Attention by cuDNN on a GPU: against the oracle, the same bits again, and within a captured graph; skipped where there is no GPU.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstring>
#include <vector>

#include "support/cuda_cases/attention_by_library.hpp"
#include "trm/backend/cuda/cudnn_attention.cuh"
#include "trm/backend/cuda/gpu.cuh"

using namespace trm;
using namespace trm::cuda::testing;

namespace {

/// Calls of a library.
struct counted_attention final : cuda::attention_provider {
  explicit counted_attention(cuda::attention_provider& p) : to(p) {}
  bool takes(const cuda::attention_task& t) const override { return to.takes(t); }
  void forward(const cuda::attention_task& t) override { ++calls, to.forward(t); }
  void backward(const cuda::attention_gradient_task& t) override { ++calls, to.backward(t); }
  cuda::attention_provider& to;
  int calls = 0;
};

}  // namespace

TEST_CASE("both passes are those of the oracle, by the library") {
  cuda::gpu device;
  cuda::cudnn_attention cudnn(device.stream());
  counted_attention library(cudnn);
  device.attend_by(&library);
  check_attention_by_library<bidirectional, 16>(device, {2, 71, {}, {}});
  check_attention_by_library<bidirectional, 64>(device, {3, 71, {}, {}});
  check_attention_by_library<causal, 64>(device, {2, 71, {}, {}});
  check_attention_by_library<bidirectional, 128>(device, {2, 71, {}, {}});
  CHECK(library.calls == 12);
}

/// o and dqkv of attention over `rows` rows, done once as it is asked for and twice as a graph.
template <int Width>
std::vector<std::vector<char>> three_times(int samples) {
  using a = attention_case<Width>;
  using memory = typename a::template gradient_memory<bf16>;
  cuda::gpu device;
  cuda::cudnn_attention cudnn(device.stream());
  device.attend_by(&cudnn);
  cuda::context<cuda::gpu> backend(device);
  const auto n = static_cast<std::size_t>(samples);
  std::vector<bf16> values(n * sample_bytes<memory>() / sizeof(bf16));
  const draws from = philox{7}.at(purpose::user);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = bf16(static_cast<float>(from.normal(i)));
  cuda::device_memory<cuda::gpu> on_device(device, n * sample_bytes<memory>());
  const memory m = bind_activations<memory>(on_device.data(), n);
  const auto work = [&] {
    const call<cuda::context<cuda::gpu>> c{backend, samples, a::rows};
    ops::attention<a::heads, bidirectional>(c, m.qkv, m.o, m.lse);
    ops::attention_gradient<a::heads, bidirectional, rope<>>(c, m.qkv, m.o, m.lse, m.d_o, m.dqkv);
  };
  std::vector<std::vector<char>> results;
  const auto run = [&](auto how) {
    device.copy_in(on_device.data(), values.data(), on_device.size());
    how();
    results.emplace_back(on_device.size());
    device.copy_out(results.back().data(), on_device.data(), on_device.size());
  };
  run(work);
  auto graph = device.capture(work);
  run([&] { graph.launch(); });
  run([&] { graph.launch(); });
  return results;
}

TEST_CASE("the same bits again, and within a captured graph") {
  const auto results = three_times<64>(16);
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

int main(int argc, char** argv) {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) {
    std::puts("SKIPPED: no CUDA device");
    return 0;
  }
  return doctest::Context(argc, argv).run();
}
