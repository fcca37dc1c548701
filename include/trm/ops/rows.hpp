// SPDX-License-Identifier: MIT
// Passes over rows that no product produced.
#pragma once
#include <type_traits>

#include "trm/core/call.hpp"
#include "trm/core/tensor.hpp"
#include "trm/ops/sinks.hpp"

namespace trm::ops {

/// v = x, for the sinks.
template <class B, class X, class Sink>
constexpr void emit(const call<B>& c,
                    X x,         // [B, rows, width]
                    Sink out) {  // receives [B, rows, width]
  c.backend.emit(c, x, out);
}

/// x = 0
template <class B, class X>
constexpr void zero(const call<B>& c,
                    X x) {  // [B, rows, width]
  c.backend.zero(c, x);
}

// For layers of one's own whose arithmetic is not among the operations. On the CPU only.

/// Runs `f(i)` for every i < n, in any order, possibly at once; what f writes for one i must not be what it writes for another.
/// A sum over samples belongs into one call of f, which walks them in order: the result is then the same for any number of threads.
template <class B, class F>
constexpr void each(const call<B>& c, int n, F f) {
  c.backend.each_sample(call<B>{c.backend, n}, f);
}

/// The same for every sample of the batch.
template <class B, class F>
constexpr void each_sample(const call<B>& c, F f) {
  c.backend.each_sample(c, f);
}

/// Where a parameter's values are, row-major, for reading in `each`: the master values, whatever the backend keeps besides.
template <class T, int... Extents>
constexpr auto values(const tensor<T, Extents...>& parameter) {
  if constexpr (std::is_pointer_v<decltype(parameter.data)>) {
    return parameter.data;
  } else {
    return parameter.data.master;
  }
}

}  // namespace trm::ops
