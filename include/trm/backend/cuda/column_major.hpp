// SPDX-License-Identifier: MIT
// Products as a library takes them that counts in columns: the row-major out = A B is, in the same memory, its column-major
// out^T = B^T A^T. So the factors are exchanged, and one whose rows are contiguous is taken as it is.
#pragma once
#include <algorithm>
#include <cstdint>

#include "trm/backend/cuda/device.hpp"

namespace trm::cuda::detail {

/// A column-major matrix: element (i, j) of sample b at data[b * sample + j * leading + i]; `transposed` is the factor of the product.
struct column_factor {
  const void* data;
  bool transposed;
  std::int64_t rows, columns, leading, sample;
};

/// The left factor of out^T: b [k, n] as [n, k].
inline column_factor left_factor(const factor& b, int k, int n) {
  const bool plain = b.col == 1 && (b.row >= n || k == 1);
  const std::int64_t rows = plain ? n : k, columns = plain ? k : n;
  return {b.data, !plain, rows, columns, std::max<std::int64_t>(plain ? b.row : b.col, rows), b.sample};
}
/// The right factor of out^T: a [m, k] as [k, m].
inline column_factor right_factor(const factor& a, int m, int k) {
  const bool plain = a.col == 1 && (a.row >= k || m == 1);
  const std::int64_t rows = plain ? k : m, columns = plain ? m : k;
  return {a.data, !plain, rows, columns, std::max<std::int64_t>(plain ? a.row : a.col, rows), a.sample};
}

}  // namespace trm::cuda::detail
