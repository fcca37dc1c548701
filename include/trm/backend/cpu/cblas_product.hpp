// SPDX-License-Identifier: MIT
// Products by a BLAS library with the C interface. Needs <cblas.h>.
#pragma once
#include <cblas.h>

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "trm/backend/cpu/reference_product.hpp"
#include "trm/backend/cpu/vector_math.hpp"

extern "C" {
// What the known libraries call it; only the one that is linked is there.
void openblas_set_num_threads(int) __attribute__((weak));
void bli_thread_set_num_threads(long) __attribute__((weak));
void MKL_Set_Num_Threads(int) __attribute__((weak));
}

namespace trm::cpu {

/// ?gemm of float32 and float64; bf16 is widened to float32. The threads are those of the library's own pool: a known
/// BLAS (OpenBLAS, BLIS, MKL) is told once, for the whole process, to use one thread; another one must be told by its
/// environment.
struct cblas_product {
  static constexpr int row_block = 64;
  static constexpr bool rows_independent = false;

  template <class T>
  static constexpr std::size_t prepared_bytes(int n, int k) {
    return sizeof(accumulator<T>) * size(n) * size(k);
  }

  /// Prepared is [n, k] in accumulator<T>.
  template <class T, class M>
  static void prepare(strided<const M> w, int n, int k, void* out) {
    auto* p = static_cast<accumulator<T>*>(out);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < k; ++j) *p++ = static_cast<accumulator<T>>(T(w(i, j)));
    }
  }

  template <class T>
  static constexpr std::size_t multiply_workspace(int /*n*/, int k) {
    return round_to_line(sizeof(accumulator<T>) * size(row_block) * size(k));
  }

  template <class T>
  static void multiply(strided<const T> a, int m, const void* prepared, int n, int k, accumulator<T>* tile,
                       std::ptrdiff_t ld, void* workspace) {
    using A = accumulator<T>;
    one_thread();
    const operand<A> x = in_place<A>(a, m, k, static_cast<A*>(workspace));
    gemm(x.order, CblasTrans, m, n, k, x.data, x.ld, static_cast<const A*>(prepared), k, A(0), tile, ld);
  }

  template <class T>
  static constexpr std::size_t accumulate_workspace(int n, int k) {
    return round_to_line(sizeof(accumulator<T>) * size(chunk) * size(n)) +
           round_to_line(sizeof(accumulator<T>) * size(chunk) * size(k));
  }

  template <class T, class G>
  static void accumulate(thread_pool& pool, int batch, int rows, strided<const T> d, std::ptrdiff_t d_sample, int n,
                         strided<const T> x, std::ptrdiff_t x_sample, int k, G* g, std::ptrdiff_t ld, void* workspace) {
    using A = accumulator<T>;
    if constexpr (!std::is_same_v<A, G>) {
      reference_product::accumulate<T, G>(pool, batch, rows, d, d_sample, n, x, x_sample, k, g, ld, workspace);
    } else {
      one_thread();
      if (d_sample == rows * d.row && x_sample == rows * x.row) {
        rows *= batch;
        batch = 1;
      }
      const std::ptrdiff_t total = std::ptrdiff_t{batch} * rows;
      if constexpr (std::is_same_v<T, A>) {
        if (gemm_reads(d, rows, n) && gemm_reads(x, rows, k) && (batch == 1 || rows >= 32)) {
          for (int b = 0; b < batch; ++b) {
            add_product(pool, rows, strided<const A>{d.data + b * d_sample, d.row, d.col}, n,
                        strided<const A>{x.data + b * x_sample, x.row, x.col}, k, g, ld);
          }
          return;
        }
      }
      A* const d_copy = static_cast<A*>(workspace);
      A* const x_copy = d_copy + round_to_line(sizeof(A) * size(chunk) * size(n)) / sizeof(A);
      for (std::ptrdiff_t begin = 0; begin < total; begin += chunk) {
        const int count = static_cast<int>(std::min<std::ptrdiff_t>(chunk, total - begin));
        constexpr int slab = 32;
        pool.run((count + slab - 1) / slab, [&](int task, int) {
          for (int r = task * slab; r < std::min((task + 1) * slab, count); ++r) {
            const std::ptrdiff_t b = (begin + r) / rows, row = (begin + r) % rows;
            copy_row(d.data + b * d_sample + row * d.row, d.col, n, d_copy + std::ptrdiff_t{r} * n);
            copy_row(x.data + b * x_sample + row * x.row, x.col, k, x_copy + std::ptrdiff_t{r} * k);
          }
        });
        add_product(pool, count, strided<const A>{d_copy, n, 1}, n, strided<const A>{x_copy, k, 1}, k, g, ld);
      }
    }
  }

 private:
  static constexpr int chunk =
      512;  // rows of the reduction that are copied at a time where gemm cannot read them in place

  static constexpr std::size_t size(int n) { return static_cast<std::size_t>(n); }
  static constexpr std::size_t round_to_line(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

  static void one_thread() {
    static const bool done = [] {
      if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
      if (bli_thread_set_num_threads != nullptr) bli_thread_set_num_threads(1);
      if (MKL_Set_Num_Threads != nullptr) MKL_Set_Num_Threads(1);
      return true;
    }();
    static_cast<void>(done);
  }

  /// A matrix as gemm takes it.
  template <class A>
  struct operand {
    CBLAS_TRANSPOSE order;
    const A* data;
    std::ptrdiff_t ld;
  };

  /// Whether gemm takes [rows, cols] as it is.
  template <class T>
  static bool gemm_reads(strided<const T> a, int rows, int cols) {
    return (a.col == 1 && a.row >= cols) || (a.row == 1 && a.col >= rows);
  }
  template <class A>
  static operand<A> as_operand(strided<const A> a) {
    if (a.col == 1) return {CblasNoTrans, a.data, a.row};
    return {CblasTrans, a.data, a.col};
  }
  /// The matrix itself, or its copy in `memory`.
  template <class A, class T>
  static operand<A> in_place(strided<const T> a, int rows, int cols, A* memory) {
    if constexpr (std::is_same_v<A, T>) {
      if (gemm_reads(a, rows, cols)) return as_operand(a);
    }
    for (int i = 0; i < rows; ++i) copy_row(a.data + i * a.row, a.col, cols, memory + std::ptrdiff_t{i} * cols);
    return {CblasNoTrans, memory, cols};
  }
  template <class A, class T>
  static void copy_row(const T* from, std::ptrdiff_t step, int count, A* to) {
    if constexpr (std::is_same_v<A, float>) {
      if (step == 1) return convert(from, to, size(count));
    }
    for (int i = 0; i < count; ++i) to[i] = static_cast<A>(from[i * step]);
  }

  /// g += d^T x, blocks of the rows of g shared by the pool: cut in the same way whatever its size.
  template <class A>
  static void add_product(thread_pool& pool, int rows, strided<const A> d, int n, strided<const A> x, int k, A* g,
                          std::ptrdiff_t ld) {
    constexpr int block = 64;
    const operand<A> b = as_operand(x);
    pool.run((n + block - 1) / block, [&](int task, int) {
      const int i = task * block;
      const operand<A> a = as_operand(strided<const A>{d.data + i * d.col, d.row, d.col});
      gemm(a.order == CblasTrans ? CblasNoTrans : CblasTrans, b.order, std::min(block, n - i), k, rows, a.data, a.ld,
           b.data, b.ld, A(1), g + i * ld, ld);
    });
  }

  template <class A>
  static void gemm(CBLAS_TRANSPOSE order_a, CBLAS_TRANSPOSE order_b, int m, int n, int k, const A* a,
                   std::ptrdiff_t lda, const A* b, std::ptrdiff_t ldb, A beta, A* c, std::ptrdiff_t ldc) {
    const auto step = [](std::ptrdiff_t s) { return static_cast<int>(s); };
    if constexpr (std::is_same_v<A, float>) {
      cblas_sgemm(CblasRowMajor, order_a, order_b, m, n, k, 1.0f, a, step(lda), b, step(ldb), beta, c, step(ldc));
    } else {
      cblas_dgemm(CblasRowMajor, order_a, order_b, m, n, k, 1.0, a, step(lda), b, step(ldb), beta, c, step(ldc));
    }
  }
};

static_assert(product_provider<cblas_product>);

}  // namespace trm::cpu
