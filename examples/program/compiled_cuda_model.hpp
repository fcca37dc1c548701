// SPDX-License-Identifier: MIT
// The presets of a source that nvcc compiles are models on a GPU. cmake/cuda_presets.cmake makes such a source of every preset_*.cpp:
// it includes this header, then that file.
#pragma once
#define TRM_PRESET_ON_CUDA
#include "compiled_model.hpp"
#include "trm/backend/cuda/gpu.cuh"
#include "trm/train/cuda/solver.hpp"
#include "trm/train/cuda/trainer.hpp"
#include "trm/train/launch.hpp"

namespace program {

namespace detail {

/// A GPU for each process of a machine, in their order, and again from the first where there are more processes.
template <>
struct computer<trm::cuda::context<trm::cuda::gpu>> {
  static constexpr const char* name = "cuda";
  trm::cuda::gpu gpu;
  trm::cuda::context<trm::cuda::gpu> context{gpu};

  explicit computer(int) : gpu(trm::read_launch().local_rank % std::max(1, gpu_counter()())) {}
};

}  // namespace detail

// Of another name to the linker than that of the models on a CPU.
inline namespace on_cuda {

template <trm::config C, class Compute, class... Parts>
std::unique_ptr<any_model> make() {
  return std::make_unique<compiled_model<trm::cuda::context<trm::cuda::gpu>, C, Compute, Parts...>>();
}

}  // namespace on_cuda
}  // namespace program
