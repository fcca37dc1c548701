// SPDX-License-Identifier: MIT
// What computes matrix products is a type: the static interface that every provider has.
#pragma once
#include <concepts>
#include <cstddef>

#include "trm/backend/cpu/thread_pool.hpp"
#include "trm/core/bf16.hpp"
#include "trm/core/numerics.hpp"

namespace trm::cpu {

/// Element (i, j) is data[i * row + j * col].
template <class T>
struct strided {
  T* data;
  std::ptrdiff_t row, col;

  /// Element (i, j).
  constexpr T& operator()(std::ptrdiff_t i, std::ptrdiff_t j) const { return data[i * row + j * col]; }
  constexpr operator strided<const T>() const requires(!std::is_const_v<T>) { return {data, row, col}; }
};

/// A provider P of products with weights, for compute types T = float, trm::bf16 and double (bf16 accumulates in
/// float32):
///
///   row_block                                       the most rows of one `multiply`
///   rows_independent                                is a row of `tile` the same, bit for bit, whatever rows are beside it?
///   prepared_bytes<T>(n, k)                         bytes of a weight in the form that `multiply` reads
///   prepare<T>(w, n, k, out)                        out = T(w(i, j)), w [n, k] of float or double
///   multiply_workspace<T>(n, k)                     bytes that one thread needs, a multiple of 64
///   multiply<T>(a, m, prepared, n, k, tile, ld, workspace)
///       tile[i * ld + j] = sum_k a(i, k) w(j, k), i < m <= row_block, j < n, in accumulator<T>
///   accumulate_workspace<T>(n, k)                   bytes shared by all threads, a multiple of 64
///   accumulate<T>(pool, batch, rows, d, d_sample, n, x, x_sample, k, g, ld, workspace)
///       g[i * ld + j] += sum_b sum_r d_b(r, i) x_b(r, j), i < n, j < k, r < rows; sample b begins at data + b * sample
///
/// Prepared weights and workspaces are aligned to 64 bytes; `a`, `d`, `x`, `tile` and `g` to their type. Any strides
/// are correct; unit strides of one of the two axes are what providers are made for. No result depends on the number of
/// threads. Libraries do not promise that rows are independent: what calls them splits rows the same way always.
template <class P>
concept product_provider = requires(thread_pool& pool, strided<const float> wf, strided<const double> wd,
                                    strided<const bf16> b, void* memory, const void* prepared, float* f, double* d,
                                    int i, std::ptrdiff_t s) {
  { P::row_block } -> std::convertible_to<int>;
  { P::rows_independent } -> std::convertible_to<bool>;
  { P::template prepared_bytes<bf16>(i, i) } -> std::same_as<std::size_t>;
  { P::template multiply_workspace<bf16>(i, i) } -> std::same_as<std::size_t>;
  { P::template accumulate_workspace<bf16>(i, i) } -> std::same_as<std::size_t>;
  P::template prepare<bf16>(wf, i, i, memory);
  P::template prepare<double>(wd, i, i, memory);
  P::template multiply<bf16>(b, i, prepared, i, i, f, s, memory);
  P::template multiply<float>(wf, i, prepared, i, i, f, s, memory);
  P::template multiply<double>(wd, i, prepared, i, i, d, s, memory);
  P::template accumulate<bf16>(pool, i, i, b, s, i, b, s, i, f, s, memory);
  P::template accumulate<float>(pool, i, i, wf, s, i, wf, s, i, f, s, memory);
  P::template accumulate<double>(pool, i, i, wd, s, i, wd, s, i, d, s, memory);
};

/// Columns of a product that one call computes, and with which one the next call will begin: what it needs may be fetched meanwhile.
struct column_range {
  /// Columns [first, first + count); then from `next` on.
  int first, count, next;
};

/// A provider that computes a product in parts of its columns, so that a part is still in the cache when it is used:
///
///   preferred_rows<T>()                             rows of a task that use the caches best, at most row_block
///   row_unit<T>()                                   a divisor of row_block; rows of a task are best a multiple of it
///   pack<T>(a, m, k, workspace)                     rows in the form that `multiply_columns` reads
///   multiply_columns<T>(a, m, prepared, n, k, columns, tile, ld, workspace)
///       tile[i * ld + j - first] as of `multiply`, for the columns j in [first, first + count) of rows that were packed; `first` is a
///       multiple of column_unit. A column is the same, bit for bit, in whatever part it is computed. float and bf16 alone.
template <class P>
concept multiplies_columns = product_provider<P> &&
    requires(strided<const bf16> b, void* memory, const void* prepared, float* f, int i, std::ptrdiff_t s) {
  { P::column_unit } -> std::convertible_to<int>;
  { P::template preferred_rows<bf16>() } -> std::same_as<int>;
  { P::template row_unit<bf16>() } -> std::same_as<int>;
  P::template pack<bf16>(b, i, i, memory);
  P::template multiply_columns<bf16>(b, i, prepared, i, i, column_range{}, f, s, memory);
};

}  // namespace trm::cpu
