// SPDX-License-Identifier: MIT
// Products as plain loops: the oracle of every other provider, and what computes float64.
#pragma once
#include <cstddef>

#include "trm/backend/cpu/product_provider.hpp"

namespace trm::cpu {

/// Products with one sum for each element, in the order of the reduction, in accumulator<T>: no vectors, no blocks. See `product_provider`.
struct reference_product {
  static constexpr int row_block = 32;
  static constexpr bool rows_independent = true;

  template <class T>
  static constexpr std::size_t prepared_bytes(int n, int k) {
    return sizeof(T) * static_cast<std::size_t>(n) * static_cast<std::size_t>(k);
  }

  /// Prepared is [n, k], contiguous.
  template <class T, class M>
  static void prepare(strided<const M> w, int n, int k, void* out) {
    T* p = static_cast<T*>(out);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < k; ++j) *p++ = T(w(i, j));
    }
  }

  template <class T>
  static constexpr std::size_t multiply_workspace(int /*n*/, int /*k*/) {
    return 0;
  }

  template <class T>
  static void multiply(strided<const T> a, int m, const void* prepared, int n, int k, accumulator<T>* tile,
                       std::ptrdiff_t ld, void* /*workspace*/) {
    using A = accumulator<T>;
    const T* w = static_cast<const T*>(prepared);
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < n; ++j) {
        A sum = 0;
        for (int l = 0; l < k; ++l) sum += A(a(i, l)) * A(w[static_cast<std::ptrdiff_t>(j) * k + l]);
        tile[i * ld + j] = sum;
      }
    }
  }

  template <class T>
  static constexpr std::size_t accumulate_workspace(int /*n*/, int /*k*/) {
    return 0;
  }

  template <class T, class G>
  static void accumulate(thread_pool& pool, int batch, int rows, strided<const T> d, std::ptrdiff_t d_sample, int n,
                         strided<const T> x, std::ptrdiff_t x_sample, int k, G* g, std::ptrdiff_t ld,
                         void* /*workspace*/) {
    using A = accumulator<T>;
    pool.run(n, [=](int i, int /*worker*/) {
      for (int j = 0; j < k; ++j) {
        A sum = 0;
        for (int b = 0; b < batch; ++b) {
          for (int r = 0; r < rows; ++r)
            sum += A(d.data[b * d_sample + r * d.row + i * d.col]) * A(x.data[b * x_sample + r * x.row + j * x.col]);
        }
        g[i * ld + j] += static_cast<G>(sum);
      }
    });
  }
};

static_assert(product_provider<reference_product>);

}  // namespace trm::cpu
