// SPDX-License-Identifier: MIT
// The presets of a source that nvcc compiles are models on a GPU. cmake/cuda_presets.cmake makes such a source of every preset_*.cpp:
// it includes this header, then that file.
#pragma once
#define TRM_PRESET_ON_CUDA
// fmt 9 takes nvcc for a compiler without constexpr, and then evaluates while it compiles what it has not made constexpr.
#define FMT_USE_CONSTEXPR 1
#define FMT_CONSTEVAL
// First: behind the others nvcc 13.0 does not find a std::swap for std::thread::id.
#include <thread>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "compiled_model.hpp"
#include "trm/backend/cuda/gpu.cuh"
#include "trm/train/cuda/solver.hpp"
#include "trm/train/cuda/trainer.hpp"
#include "trm/train/launch.hpp"
#ifdef TRM_WITH_NCCL
#include "trm/train/nccl_communicator.hpp"
#endif

namespace program {

namespace detail {

#ifdef TRM_WITH_NCCL
/// Processes whose GPUs talk by NCCL, a GPU each.
class gpu_processes {
 public:
  using communicator = trm::nccl::beside<trm::any_communicator>;
  /// All processes call it, each with its GPU chosen.
  communicator& processes() {
    if (talking_) return *talking_;
    trm::together(program::processes(), [] {
      const int there = gpus().count(), here = processes_here();
      if (there < here)
        throw trm::error("--device cuda",
                         fmt::format("{} processes on a machine with {} GPUs: start as many, or fewer", here, there));
    });
    return talking_.emplace(program::processes(), patience());
  }

 private:
  std::optional<communicator> talking_;
};
#else
using gpu_processes = host_processes;
#endif

/// A GPU for each process of a machine, in their order, and again from the first where there are more processes.
template <>
struct computer<trm::cuda::context<trm::cuda::gpu>> : gpu_processes {
  static constexpr const char* name = "cuda";
  trm::cuda::gpu gpu;
  trm::cuda::context<trm::cuda::gpu> context{gpu};

  template <class Model>
  static std::unique_ptr<any_solver> int8_solver(const std::filesystem::path&, int, int) {
    throw trm::error("--int8", "is for the CPU: add --device cpu");
  }
  explicit computer(int) : gpu(trm::read_launch().local_rank % std::max(1, gpus().count())) {}
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
