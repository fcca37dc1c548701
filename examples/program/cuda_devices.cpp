// SPDX-License-Identifier: MIT
// The source of a program that is built for CUDA: tells it how many GPUs there are.
#include <cuda_runtime_api.h>

#include "device.hpp"

namespace {

int count() {
  int n = 0;
  return cudaGetDeviceCount(&n) == cudaSuccess ? n : 0;
}
const bool told = (program::detail::gpu_counter() = count, true);

}  // namespace
