// SPDX-License-Identifier: MIT
// What is known only at run time, passed to every layer and every operation.
#pragma once
#include "trm/core/hd.hpp"
#include "trm/core/shape.hpp"

namespace trm {

/// One call of a layer: the backend that computes it and the run-time extents.
template <class Backend>
struct call {
  Backend& backend;
  int batch = 0;                  // samples
  int rows = 0;                   // rows of the layer at hand: the sequence length, or the width inside over_tokens
  const int* lengths = nullptr;   // [batch] keys that count (the others are padding), or null: all of them
  const int* prefixes = nullptr;  // [batch] rows that every row sees under the prefix mask, or null: none

  /// The same call for another number of rows.
  constexpr call with_rows(int n) const { return {backend, batch, n, lengths, prefixes}; }
};

/// A layer's description bound to an input shape and a precision.
template <class Layer, shape In, class Num>
using bound = typename Layer::template at<In, Num>;

}  // namespace trm
