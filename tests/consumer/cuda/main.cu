// SPDX-License-Identifier: MIT
// Draws of the library's generator on the device, the same as on the host, beside a model that nvcc works out.
#include <cstdio>

#include "trm/core/random.hpp"
#include "trm/models/plan.hpp"

constexpr trm::config sorting{.tokens = 8, .vocab = 10, .hidden = 32, .heads = 2};
constexpr std::size_t parameters = trm::model<sorting>::parameter_count;

__global__ void draw(float* out, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const trm::draws d = trm::philox{7}.at(trm::purpose::user, 1);
  if (i < n) out[i] = d.uniform(static_cast<std::uint64_t>(i));
}

float drawn_on_the_host(int i);
std::size_t parameters_on_the_host();

int main() {
  if (parameters != parameters_on_the_host()) return 1;
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::puts("compiled and linked; there is no GPU to run it on");
    return 0;
  }
  constexpr int n = 1000;
  float* out = nullptr;
  static float found[n];
  if (cudaMalloc(&out, sizeof found) != cudaSuccess) return 2;
  draw<<<(n + 255) / 256, 256>>>(out, n);
  if (cudaMemcpy(found, out, sizeof found, cudaMemcpyDeviceToHost) != cudaSuccess) return 3;
  for (int i = 0; i < n; ++i) {
    if (found[i] != drawn_on_the_host(i)) return 4;
  }
  std::puts("run on a GPU: it draws what the host draws");
  return cudaFree(out) == cudaSuccess ? 0 : 5;
}
