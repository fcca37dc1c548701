// SPDX-License-Identifier: MIT
// What computes: the processor, or a GPU.
#pragma once
#include <string>

#include "trm/core/error.hpp"

namespace program {

namespace detail {

/// As asked for: auto, cpu or cuda.
inline std::string& asked_device() {
  static std::string asked = "auto";
  return asked;
}
/// How many GPUs there are, where the program was built for them; null elsewhere. Set by cuda_devices.cpp.
inline int (*&gpu_counter())() {
  static int (*count)() = nullptr;
  return count;
}

}  // namespace detail

/// "cpu" or "cuda". Asked for nothing else, the GPU where there is one and the program was built for it.
/// \throws trm::error where a GPU is asked for that is not there, or that the program was not built for
inline std::string chosen_device() {
  const auto counter = detail::gpu_counter();
  static const int gpus = counter == nullptr ? 0 : counter();
  const std::string& asked = detail::asked_device();
  if (asked == "auto") return gpus > 0 ? "cuda" : "cpu";
  if (asked == "cuda" && counter == nullptr)
    throw trm::error("--device cuda",
                     "this program was built without CUDA: configure its build with -DTRM_BUILD_CUDA=ON");
  if (asked == "cuda" && gpus == 0)
    throw trm::error("--device cuda",
                     "there is no GPU here, or no driver for it (nvidia-smi says which): use --device cpu");
  return asked;
}

}  // namespace program
