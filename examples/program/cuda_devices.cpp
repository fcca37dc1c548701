// SPDX-License-Identifier: MIT
// The source of a program that is built for CUDA: tells it of the GPUs that there are.
#include <cuda_runtime_api.h>

#include "device.hpp"

namespace {

int count() {
  int n = 0;
  return cudaGetDeviceCount(&n) == cudaSuccess ? n : 0;
}
std::string name(int number) {
  cudaDeviceProp properties{};
  return cudaGetDeviceProperties(&properties, number) == cudaSuccess ? properties.name : "unknown GPU";
}
double memory_mib() {
  std::size_t free = 0, all = 0;
  return cudaMemGetInfo(&free, &all) == cudaSuccess ? static_cast<double>(all - free) / 1048576 : 0;
}
const bool told = (program::detail::gpus() = {count, name, memory_mib}, true);

}  // namespace
