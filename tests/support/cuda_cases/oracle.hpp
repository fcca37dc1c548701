// SPDX-License-Identifier: MIT
// What a device's results are compared with: the CPU's reference. Where nvcc compiles, it is the emulated device, which the tests under
// tests/unit/backend/cuda compare with the CPU's reference: nvcc need not read the CPU's vectors.
#pragma once
#if defined(__CUDACC__)
#include "support/emulated_gpu.hpp"
#include "trm/backend/cuda/context.hpp"
#else
#include "trm/backend/cpu/context.hpp"
#include "trm/backend/cpu/reference_product.hpp"
#endif

namespace trm::cuda::testing {

/// A backend whose memory is that of the host.
struct oracle {
#if defined(__CUDACC__)
  using context = cuda::context<emulated_gpu>;
  emulated_gpu device{emulation_options{0, false}};
  context backend{device};
  /// Prepares weights.
  template <class Prepared>
  void refresh(const typename Prepared::weights& w) {
    Prepared::refresh(device, w);
  }
#else
  using context = cpu::context<cpu::reference_product>;
  context backend{1};
  /// Prepares weights.
  template <class Prepared>
  void refresh(const typename Prepared::weights& w) {
    Prepared::refresh(backend.pool(), w);
  }
#endif
};

}  // namespace trm::cuda::testing
