// SPDX-License-Identifier: MIT
// Errors of CUDA calls: one line that names the call, what the runtime says, and the remedy.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>
#include <string>

#include "trm/core/error.hpp"

namespace trm::cuda::detail {

/// sm_90 for a device of compute capability 9.0; "this device" where it cannot be asked.
inline std::string architecture_of_device() {
  int number = 0;
  cudaDeviceProp properties{};
  if (cudaGetDevice(&number) != cudaSuccess || cudaGetDeviceProperties(&properties, number) != cudaSuccess) {
    return "this device";
  }
  std::string name("sm_");
  name.append(std::to_string(properties.major)).append(std::to_string(properties.minor));
  return name;
}

/// What to do about an error.
inline std::string remedy_of(cudaError_t e) {
  switch (e) {
    case cudaErrorNoDevice:
      return "; is a GPU visible (nvidia-smi, CUDA_VISIBLE_DEVICES)? Otherwise compute on the CPU";
    case cudaErrorInsufficientDriver:
      return "; there is no driver (nvidia-smi), or one older than the CUDA toolkit: install a newer one, or compute "
             "on the CPU";
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorUnsupportedPtxVersion: {
      std::string text("; the program has no code for ");
      text.append(architecture_of_device()).append(", which TRM_CUDA_ARCHITECTURES names when it is built");
      return text;
    }
    case cudaErrorMemoryAllocation:
      return "; take a smaller batch or micro-batch";
    case cudaErrorStreamCaptureUnsupported:
    case cudaErrorStreamCaptureInvalidated:
      return "; a captured step allocates, copies or waits: run it once before it is captured";
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorMisalignedAddress:
    case cudaErrorAssert:
    case cudaErrorLaunchTimeout:
      return "; the failure is of earlier work: CUDA_LAUNCH_BLOCKING=1 or compute-sanitizer show where, and the "
             "process must be "
             "started again";
    default:
      return "";
  }
}

/// Throws where the call failed.
inline void check(cudaError_t e, const char* call) {
  if (e == cudaSuccess) return;
  std::string text(cudaGetErrorString(e));
  text.append(" (").append(cudaGetErrorName(e)).append(")").append(remedy_of(e));
  cudaGetLastError();
  throw error(call, text);
}

/// The same for a call that takes `n` bytes.
inline void check_allocation(cudaError_t e, const char* call, std::size_t n) {
  if (e != cudaErrorMemoryAllocation) return check(e, call);
  cudaGetLastError();
  std::size_t free = 0, total = 0;
  cudaMemGetInfo(&free, &total);
  const auto mib = [](std::size_t bytes) { return std::to_string(bytes >> 20); };
  std::string text(mib(n));
  text.append(" MiB wanted, ")
      .append(mib(free))
      .append(" of ")
      .append(mib(total))
      .append(" MiB free")
      .append(remedy_of(e));
  throw error(call, text);
}

/// Throws where device `number` is not there or older than sm_80.
inline void check_devices(int number) {
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (number < 0 || number >= count) {
    std::string text("there are ");
    text.append(std::to_string(count)).append(", numbered from 0");
    throw error(std::string("CUDA device ").append(std::to_string(number)), text);
  }
  cudaDeviceProp p{};
  check(cudaGetDeviceProperties(&p, number), "cudaGetDeviceProperties");
  if (p.major < 8) {
    std::string text(p.name);
    text.append(" has compute capability ").append(std::to_string(p.major)).append(".").append(std::to_string(p.minor));
    text.append("; 8.0 or newer is needed");
    throw error(std::string("CUDA device ").append(std::to_string(number)), text);
  }
}

}  // namespace trm::cuda::detail
