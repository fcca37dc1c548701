// SPDX-License-Identifier: MIT
// Attention of a device by a library, where every row counts; by the kernels where some do not.
#pragma once
#include "support/cuda_cases/attention.hpp"
#include "trm/ops/rows.hpp"

namespace trm::cuda::testing {

/// Both passes against the oracle. The library's statistics are its own, so they are taken out of the comparison. dq and dk are rounded
/// to bf16 once more than the kernels' are, before they are turned back.
template <class Mask, int Width, class Device>
void check_attention_by_library(Device& d, const extents& e) {
  using a = attention_case<Width>;
  compare<bf16, a::template gradient_memory>(
      d, e, bound_of<bf16>(5, 4 * (steps_of_sum(Width) + steps_of_sum(e.rows))), [](const auto& c, auto& m, auto&&...) {
        ops::attention<a::heads, Mask>(c, m.qkv, m.o, m.lse);
        ops::attention_gradient<a::heads, Mask, rope<>>(c, m.qkv, m.o, m.lse, m.d_o, m.dqkv);
        ops::zero(c, m.lse);
      });
  compare<bf16, a::template memory>(d, e, attention_bound<bf16>(Width, e.rows), [](const auto& c, auto& m, auto&&...) {
    ops::attention<a::heads, Mask>(c, m.qkv, m.o, absent{});
  });
}

}  // namespace trm::cuda::testing
