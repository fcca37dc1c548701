// SPDX-License-Identifier: MIT
// A trainer on a GPU, in a program of somebody else; docs/cuda.md shows it.
#include <cstdio>
#include <vector>

#include "trm/backend/cuda/gpu.cuh"
#include "trm/train/cuda/trainer.hpp"

constexpr trm::config copying{.tokens = 8, .vocab = 10, .hidden = 32, .heads = 2, .h_cycles = 1, .l_cycles = 1};
using model = trm::model<copying, float>;

void train(const trm::batch& batch) {
  trm::cuda::gpu device;
  trm::cuda::context<trm::cuda::gpu> cuda(device);
  trm::trainer<model, trm::adam_atan2, trm::cuda::context<trm::cuda::gpu>> t(cuda, {.batch = 768, .micro_batch = 96});
  t.initialise(0);
  t.step(batch);
  std::printf("run on a GPU: step %lld\n", t.step_number());
}

int main() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::puts("compiled and linked; there is no GPU to run it on");
    return 0;
  }
  const std::vector<int> tokens(768 * 8, 3);
  train({tokens, tokens, {}});
}
