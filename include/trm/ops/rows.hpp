// SPDX-License-Identifier: MIT
// Passes over rows that no product produced.
#pragma once
#include "trm/core/call.hpp"
#include "trm/ops/sinks.hpp"

namespace trm::ops {

/// v = x, for the sinks.
template <class B, class X, class Sink>
constexpr void emit(const call<B>& c,
                    X x,          // [B, rows, width]
                    Sink out) {   // receives [B, rows, width]
  c.backend.emit(c, x, out);
}

/// x = 0
template <class B, class X>
constexpr void zero(const call<B>& c,
                    X x) {  // [B, rows, width]
  c.backend.zero(c, x);
}

/// Runs `f(b)` for every sample, in any order, possibly at once: for layers of one's own whose arithmetic is not among the
/// operations. On the CPU only; what f writes for one sample must not be what it writes for another.
template <class B, class F>
constexpr void each_sample(const call<B>& c, F f) {
  c.backend.each_sample(c, f);
}

}  // namespace trm::ops
