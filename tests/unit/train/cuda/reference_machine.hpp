// SPDX-License-Identifier: MIT
// What a device's training is compared with: the CPU's. Where nvcc compiles, which cannot read the CPU's vectors, the emulated device's,
// which the same cases compare with the CPU's.
#pragma once
#if defined(__CUDACC__)
#include "support/emulated_gpu.hpp"
#include "trm/backend/cuda/context.hpp"
#else
#include "trm/backend/cpu/context.hpp"
#endif

namespace trm_test {

struct reference_machine {
#if defined(__CUDACC__)
  using context_type = trm::cuda::context<trm::cuda::emulated_gpu>;
  trm::cuda::emulated_gpu device{trm::cuda::emulation_options{0, false}};
  context_type context{device};
#else
  using context_type = trm::cpu::context<>;
  context_type context{1};
#endif
};

}  // namespace trm_test
