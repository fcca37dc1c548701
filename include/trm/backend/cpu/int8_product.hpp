// SPDX-License-Identifier: MIT
// Products in int8, for inference: weights with a scale for each output, activations with a scale for each row.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "trm/backend/cpu/int8_kernel.hpp"
#include "trm/backend/cpu/int8_rows.hpp"
#include "trm/backend/cpu/reference_product.hpp"
#include "trm/core/error.hpp"

namespace trm::cpu {

/// A provider of products for inference, `cpu::context<cpu::int8_product>`, for a model of float32 or bf16:
///
///   v(i, j) = s_i t_j sum_k p(i, k) q(j, k)
///   p(i, k) = round(a(i, k) / s_i), s_i = max_k |a(i, k)| / 127, found anew for each row of activations
///   q(j, k) = round(w(j, k) / t_j), t_j = max_k |w(j, k)| / 127, once, from the master weights
///
/// (symmetric quantisation: Wu et al., arXiv 2004.09602, 3.1). All products of activations and weights go this way, those of the
/// heads included; attention scores and all else are computed as without it. The sum is exact, in int32, so that every instruction set
/// (int8_isa.hpp) gives the same bits, as does a row whatever rows are beside it. A row or an output with a value that is not finite is
/// NaN; one of values below 2^-100 is zero. float64 is not quantised: `reference_product`.
struct int8_product {
  static constexpr int row_block = 128;
  static constexpr bool rows_independent = true;
  static constexpr int column_unit = int8_panel;
  /// Sums of more products could leave int32.
  static constexpr int longest_reduction = 1 << 16;

  template <class T>
  static constexpr std::size_t prepared_bytes(int n, int k) {
    if constexpr (std::is_same_v<T, double>) {
      return reference_product::prepared_bytes<T>(n, k);
    } else {
      return size(padded_outputs(n)) * (size(padded(k)) + sizeof(float) + sizeof(std::int32_t));
    }
  }

  /// \throws trm::error where k > longest_reduction
  template <class T, class M>
  static void prepare(strided<const M> w, int n, int k, void* out) {
    if constexpr (std::is_same_v<T, double>) {
      reference_product::prepare<T, M>(w, n, k, out);
    } else {
      if (k > longest_reduction)
        throw error("int8_product", "cannot sum " + std::to_string(k) + " products, " +
                                        std::to_string(longest_reduction) + " at most: use builtin_product");
      std::memset(out, 0, prepared_bytes<T>(n, k));
      const prepared_weight<std::byte> to(out, n, k);
      for (int j = 0; j < n; ++j) prepare_output(w, j, k, to);
    }
  }

  /// Rows of one task.
  template <class T>
  static int preferred_rows() {
    return row_block;
  }
  /// Rows of a tile of the processor.
  template <class T>
  static int row_unit() {
    return amx::rows;
  }

  /// Rows as bytes, and their scales.
  template <class T>
  static constexpr std::size_t multiply_workspace(int /*n*/, int k) {
    if constexpr (std::is_same_v<T, double>) return 0;
    return size(row_block) * (size(row_bytes(k)) + sizeof(float));
  }

  /// Rows as `multiply_columns` reads them.
  template <class T>
  static void pack(strided<const T> a, int m, int k, void* workspace) {
    if constexpr (!std::is_same_v<T, double>) {
      const packed_rows<std::byte> to(workspace, k);
      const auto quantise = [&](auto level) TRM_INLINE {
        detail::quantise_rows<level.lanes>(a, m, k, padded(k), to.bytes, row_bytes(k), to.scales);
      };
      for_isa(floor_of(current_int8_isa()), quantise);
    }
  }

  /// tile[i * ld + j - first] for the columns j of the range, which begins at a multiple of column_unit, of rows that were packed.
  template <class T>
  static void multiply_columns(strided<const T> /*a*/, int m, const void* prepared, int n, int k, column_range columns,
                               accumulator<T>* tile, std::ptrdiff_t ld, const void* workspace) {
    static_assert(!std::is_same_v<T, double>, "float64 is multiplied as a whole");
    const int first = columns.first, count = columns.count;
    const prepared_weight<const std::byte> w(prepared, n, k);
    const packed_rows<const std::byte> rows(workspace, k);
    switch (current_int8_isa()) {
#if defined(__x86_64__)
      case int8_isa::avx2:
        return multiply_at<int8_isa::avx2>(rows, m, w, k, first, count, tile, ld);
      case int8_isa::avx_vnni:
        return multiply_at<int8_isa::avx_vnni>(rows, m, w, k, first, count, tile, ld);
      case int8_isa::avx512_vnni:
        return multiply_at<int8_isa::avx512_vnni>(rows, m, w, k, first, count, tile, ld);
#endif
#if defined(TRM_TARGET_AMX)
      case int8_isa::amx: {
        const amx::tile_scope tiles;
        return multiply_at<int8_isa::amx>(rows, m, w, k, first, count, tile, ld);
      }
#endif
      default:
        return multiply_at<int8_isa::portable>(rows, m, w, k, first, count, tile, ld);
    }
  }

  template <class T>
  static void multiply(strided<const T> a, int m, const void* prepared, int n, int k, accumulator<T>* tile,
                       std::ptrdiff_t ld, void* workspace) {
    if constexpr (std::is_same_v<T, double>) {
      reference_product::multiply<T>(a, m, prepared, n, k, tile, ld, workspace);
    } else {
      pack(a, m, k, workspace);
      multiply_columns(a, m, prepared, n, k, {0, n, 0}, tile, ld, workspace);
    }
  }

  template <class T>
  static constexpr std::size_t accumulate_workspace(int /*n*/, int /*k*/) {
    return 0;
  }

  /// Weight gradients: float64 only.
  template <class T, class G>
  static void accumulate(thread_pool& pool, int batch, int rows, strided<const T> d, std::ptrdiff_t d_sample, int n,
                         strided<const T> x, std::ptrdiff_t x_sample, int k, G* g, std::ptrdiff_t ld, void* workspace) {
    static_assert(std::is_same_v<T, double>,
                  "int8_product is for inference: train with cpu::builtin_product, then evaluate with "
                  "cpu::context<cpu::int8_product>");
    if constexpr (std::is_same_v<T, double>) {
      reference_product::accumulate<T, G>(pool, batch, rows, d, d_sample, n, x, x_sample, k, g, ld, workspace);
    }
  }

 private:
  static constexpr int tile_depth = 64;  // bytes in a row of a tile

  static constexpr std::size_t size(int n) { return static_cast<std::size_t>(n); }
  static constexpr int padded(int k) { return (k + tile_depth - 1) / tile_depth * tile_depth; }
  static constexpr int padded_outputs(int n) { return (n + int8_panel - 1) / int8_panel * int8_panel; }
  /// One line more than the row needs: rows are then not all at the same place of a cache.
  static constexpr int row_bytes(int k) { return padded(k) + tile_depth; }

  /// Panels of bytes, then a scale for each output, then 128 times the sum of its bytes: what the offset of the rows adds to a sum.
  template <class Byte>
  struct prepared_weight {
    template <class U>
    using like = std::conditional_t<std::is_const_v<Byte>, const U, U>;

    prepared_weight(like<void>* all, int n, int k)
        : panels(static_cast<like<std::int8_t>*>(all)),
          scale(
              static_cast<like<float>*>(static_cast<like<void>*>(panels + size(padded_outputs(n)) * size(padded(k))))),
          correction(static_cast<like<std::int32_t>*>(static_cast<like<void>*>(scale + padded_outputs(n)))) {}
    like<std::int8_t>* panels;
    like<float>* scale;
    like<std::int32_t>* correction;
  };

  template <class Byte>
  struct packed_rows {
    template <class U>
    using like = std::conditional_t<std::is_const_v<Byte>, const U, U>;

    packed_rows(like<void>* all, int k)
        : bytes(static_cast<like<std::uint8_t>*>(all)),
          scales(static_cast<like<float>*>(static_cast<like<void>*>(bytes + size(row_block) * size(row_bytes(k))))) {}
    like<std::uint8_t>* bytes;
    like<float>* scales;
  };

  template <class M>
  static void prepare_output(strided<const M> w, int j, int k, const prepared_weight<std::byte>& to) {
    float largest = 0;
    for (int l = 0; l < k; ++l) {
      const float size = std::abs(static_cast<float>(w(j, l)));
      largest = size <= largest ? largest : size;  // NaN is kept: no comparison with it is true
      if (std::isnan(largest)) break;
    }
    const auto s = detail::int8_scale::of(largest);
    std::int8_t* panel = to.panels + size(j / int8_panel * int8_panel) * size(padded(k)) + j % int8_panel * 4;
    std::int32_t sum = 0;
    for (int l = 0; l < k && s.inverse != 0; ++l) {
      const auto q = static_cast<std::int8_t>(std::lrint(static_cast<float>(w(j, l)) * s.inverse));
      panel[l / 4 * tile_depth + l % 4] = q;
      sum += q;
    }
    to.scale[j] = s.scale;
    to.correction[j] = int{detail::int8_zero} * sum;
  }

  template <int8_isa Level>
  static void multiply_at(const packed_rows<const std::byte>& rows, int m, const prepared_weight<const std::byte>& w,
                          int k, int first, int count, float* out, std::ptrdiff_t ld) {
    using kernel = int8_tiles<Level>;
    constexpr isa around = std::min(floor_of(Level), isa::avx512);
    const std::ptrdiff_t row = row_bytes(k), panel = std::ptrdiff_t{int8_panel} * padded(k);
    const int steps = Level == int8_isa::amx ? padded(k) / 4 : (k + 3) / 4;
    alignas(64) std::int32_t sums[kernel::rows * int8_block];
    struct {
      int i = 0, j = 0, rows = 0;
    } done;  // the tile whose sums are to be written
    const auto write = [&] {
      with_isa<around>([&](auto level) TRM_INLINE {
        detail::sums_to_floats<level.lanes>(sums, int8_block, done.rows, std::min(int8_block, count - done.j),
                                            w.correction + first + done.j, rows.scales + done.i,
                                            w.scale + first + done.j, out + done.i * ld + done.j, ld);
      });
    };
    for (int j = 0; j < count; j += int8_block) {
      for (int i = 0; i < m; i += kernel::rows) {
        const int8_tile t{.a = rows.bytes + i * row,
                          .lda = row,
                          .w = w.panels + (first + j) / int8_panel * panel,
                          .panel = panel,
                          .steps = steps,
                          .panels = count - j > int8_panel ? 2 : 1,
                          .sums = sums};
        kernel::compute(t, kernel::rows_for(m - i), write);
        done = {i, j, std::min(kernel::rows, m - i)};
      }
    }
    write();
  }
};

static_assert(multiplies_columns<int8_product>);

}  // namespace trm::cpu
