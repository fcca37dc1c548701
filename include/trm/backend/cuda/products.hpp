// SPDX-License-Identifier: MIT
// Products of activations and weights as a device's multiply() takes them, and the sums that go with their gradients.
#pragma once
#include <cstddef>

#include "trm/backend/cuda/block.hpp"
#include "trm/backend/cuda/device.hpp"
#include "trm/backend/cuda/rows.hpp"
#include "trm/core/view.hpp"

namespace trm::cuda::detail {

/// The rows of a view as one matrix or as one for each sample.
struct row_matrices {
  int samples, rows;  // matrices, and rows of each
  factor x;           // [rows, width] of each
};

/// Of a call's rows; one matrix where rows of neighbouring samples are as far apart as those of one.
template <class V>
row_matrices matrices_of(const V& x, int batch, int rows) {
  const strides s = x.steps(rows);
  if (rows == 1) return {1, batch, {x.data, s.sample, s.channel, 0}};
  if (V::order == layout::channels_last && s.sample == rows * s.row)
    return {1, batch * rows, {x.data, s.row, s.channel, 0}};
  return {batch, rows, {x.data, s.row, s.channel, s.sample}};
}

/// The same matrices, one for each sample.
template <class V>
row_matrices matrices_of_samples(const V& x, int batch, int rows) {
  const strides s = x.steps(rows);
  return {batch, rows, {x.data, s.row, s.channel, s.sample}};
}

/// The factor from `samples` matrices and `rows` rows on, of elements of T.
template <class T>
factor advanced(factor f, std::ptrdiff_t samples, std::ptrdiff_t rows) {
  f.data = static_cast<const T*>(f.data) + samples * f.sample + rows * f.row;
  return f;
}

/// The factor with its two axes exchanged.
constexpr factor exchanged(factor f) { return {f.data, f.col, f.row, f.sample}; }

/// sum[i] += parts[0][i] + parts[1][i] + ..., in order.
template <class A>
struct add_parts_kernel {
  A* sum;
  const A* parts;
  int count;            // of parts
  std::ptrdiff_t size;  // of a part

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(b.index()) * b.threads() + b.thread();
    if (i >= size) return;
    A total = 0;
    for (int p = 0; p < count; ++p) total += parts[p * size + i];
    sum[i] += total;
  }
};

/// sum[i] += the sum of channel i over all rows. A block takes a warp's width of channels, each of its warps some of the rows.
template <class V, class A>
struct add_rows_kernel {
  V x;
  A* sum;
  int n, rows, batch;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    A* parts = b.template shared<A>();  // [warps, warp_size]
    const int i = b.index() * warp_size + lane_of(b);
    A part = 0;
    for (int r = warp_of(b); i < n && r < batch * rows; r += warps_of(b)) {
      part += static_cast<A>(x.at({r / rows, r % rows}, i));
    }
    parts[b.thread()] = part;
    b.sync();
    if (warp_of(b) != 0 || i >= n) return;
    A total = 0;
    for (int w = 0; w < warps_of(b); ++w) total += parts[w * warp_size + lane_of(b)];
    sum[i] += total;
  }
};

}  // namespace trm::cuda::detail
