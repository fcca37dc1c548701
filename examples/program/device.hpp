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
/// What a program that was built for GPUs asks of them: how many there are; the name of one; the MiB of the chosen one that are in use,
/// by whomever. Null elsewhere. Set by cuda_devices.cpp.
struct gpu_questions {
  int (*count)() = nullptr;
  std::string (*name)(int number) = nullptr;
  double (*memory_mib)() = nullptr;
};
inline gpu_questions& gpus() {
  static gpu_questions all;
  return all;
}

}  // namespace detail

/// "cpu" or "cuda". Asked for nothing else, the GPU where there is one and the program was built for it.
/// \throws trm::error where a GPU is asked for that is not there, or that the program was not built for
inline std::string chosen_device() {
  const auto counter = detail::gpus().count;
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
/// "4 x NVIDIA H200": the GPUs of so many processes, as the first process's is called. Empty where the processor computes.
inline std::string gpu_name(int processes) {
  if (chosen_device() == "cpu") return {};
  const auto name = detail::gpus().name;
  return (processes > 1 ? std::to_string(processes) + " x " : "") + (name == nullptr ? "GPU" : name(0));
}

}  // namespace program
