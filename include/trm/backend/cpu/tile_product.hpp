// SPDX-License-Identifier: MIT
// Products of bf16, and of float32 as sums of three bf16, by the processor's tiles (amx.hpp).
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "trm/backend/cpu/tile_packing.hpp"

namespace trm::cpu {

#if defined(TRM_TARGET_AMX)

/// The part of builtin_product that multiplies T, bf16 or float32, by tiles. Sums are blocks of 32 x 32, each one chain along the reduction.
template <class T>
struct tile_product {
  /// Has the processor tiles, and may they be used?
  static bool usable() { return current_isa() == isa::amx; }

  /// Bytes of a weight of n outputs as `multiply` reads it: panels of 32 columns, the last one of 16 where that is enough.
  static constexpr std::size_t prepared_bytes(int n, int k) { return size(padded_outputs(n)) * column_bytes(k); }
  template <class M>
  static void prepare(strided<const M> w, int n, int k, void* out) {
    for (int j = 0; j < n; j += block) {
      packing::columns_of_weight(strided<const M>{w.data + j * w.row, w.row, w.col}, n - j, k, panel_width(n, j),
                                 static_cast<std::byte*>(out) + size(j) * column_bytes(k));
    }
  }

  /// Bytes of packed rows.
  static constexpr std::size_t rows_bytes(int m, int k) {
    return size((m + amx::rows - 1) / amx::rows) * strip_bytes(k);
  }
  /// Rows as `multiply` reads them: strips of 16, zeros behind the k-th element; nothing where tiles can read them in place.
  static void pack(strided<const T> a, int m, int k, void* workspace) {
    if (!lie_as_tiles(a, k)) pack_strips(a, m, k, workspace);
  }

  /// As builtin_product::multiply_columns.
  TRM_TARGET_AMX static void multiply_columns(strided<const T> x, int m, const void* prepared, int n, int k,
                                              column_range columns, float* out, std::ptrdiff_t ld, const void* packed) {
    amx::tile_scope tiles;
    const int steps = tiles_for(k), part = part_of(steps);
    for (int u = 0; u < steps; u += part) {
      multiply_part(tiles, operand_of(x, k, packed, k, u, u), m, prepared, n, k, u, std::min(part, steps - u), columns,
                    out, ld);
    }
    if (steps == 0) {
      for (int i = 0; i < m; ++i) std::fill_n(out + i * ld, columns.count, 0.0f);
    }
  }

  /// As builtin_product::multiply. Rows are packed a part of the reduction at a time, so that a part stays in a second-level cache.
  TRM_TARGET_AMX static void multiply(strided<const T> x, int m, const void* prepared, int n, int k, float* out,
                                      std::ptrdiff_t ld, void* workspace) {
    amx::tile_scope tiles;
    const int steps = tiles_for(k), part = part_of(steps);
    for (int u = 0; u < steps; u += part) {
      const int some = std::min(part, steps - u), elements = std::min(some * amx::depth, k - u * amx::depth);
      if (!lie_as_tiles(x, k)) pack_strips({x.data + u * amx::depth * x.col, x.row, x.col}, m, elements, workspace);
      multiply_part(tiles, operand_of(x, k, workspace, elements, 0, u), m, prepared, n, k, u, some, {0, n, 0}, out, ld);
    }
    if (steps == 0) {
      for (int i = 0; i < m; ++i) std::fill_n(out + i * ld, n, 0.0f);
    }
  }

  /// Bytes that `accumulate` needs: both operands of one chunk of the reduction.
  static constexpr std::size_t accumulate_workspace(int n, int k) {
    return rows_bytes(n, packing::chunk) + prepared_bytes(k, packing::chunk);
  }

  /// As builtin_product::accumulate. The reduction is cut into chunks whose size depends on nothing but its length.
  template <class G>
  static void accumulate(thread_pool& pool, int batch, int rows, strided<const T> d, std::ptrdiff_t d_sample, int n,
                         strided<const T> x, std::ptrdiff_t x_sample, int k, G* g, std::ptrdiff_t ld, void* workspace) {
    const std::ptrdiff_t total = std::ptrdiff_t{batch} * rows, chunks = (total + packing::chunk - 1) / packing::chunk;
    if (chunks == 0) return;
    const int length = tiles_for(static_cast<int>((total + chunks - 1) / chunks)) * amx::depth;
    const int strips = (n + amx::rows - 1) / amx::rows, panels = (k + block - 1) / block;
    auto* const d_packed = static_cast<std::byte*>(workspace);
    auto* const x_packed = d_packed + size(strips) * strip_bytes(length);
    const auto strip = [&](int s) { return d_packed + size(s) * strip_bytes(length); };
    const auto panel = [&](int p) { return x_packed + size(p * block) * column_bytes(length); };
    for (std::ptrdiff_t begin = 0; begin < total; begin += length) {
      const int count = static_cast<int>(std::min<std::ptrdiff_t>(length, total - begin)), steps = tiles_for(count);
      const detail::chunk_of<T> d_chunk{d, d_sample, rows, n, begin, count},
          x_chunk{x, x_sample, rows, k, begin, count};
      const auto pack_d = [&](int first_strip, int last_strip, int first, int last, int shift) {
        for (int s = first_strip; s < last_strip; ++s) {
          packing::rows_of_chunk(d_chunk, s * amx::rows, first, last, strip(s - shift));
        }
      };
      const auto pack_x = [&](int first_panel, int last_panel, int first, int last, int shift) {
        for (int p = first_panel; p < last_panel; ++p) {
          packing::columns_of_chunk(x_chunk, p * block, panel_width(k, p * block), first, last,
                                    reinterpret_cast<std::uint32_t*>(panel(p - shift)));
        }
      };

      // the narrower operand is packed first, for all; a task packs its own part of the wider one
      const bool d_is_wide = n >= k;
      constexpr int slab = 64;  // rows in one task of packing, in whole tiles
      pool.run((count + slab - 1) / slab, [&](int task, int) {
        const int first = task * slab, last = std::min(first + slab, count);
        d_is_wide ? pack_x(0, panels, first, last, 0) : pack_d(0, strips, first, last, 0);
      });
      const int pairs = (strips + 1) / 2, wide = d_is_wide ? pairs : panels;
      const int at_once = pool.at_once(wide, terms == 1 ? 8 : 4);
      const int tasks = (wide + at_once - 1) / at_once;
      pool.run(tasks, [&](int task, int worker) {
        const int first = task * at_once, last = std::min(first + at_once, wide);
        // a thread's tasks take one place, which is then in its cache
        const int shift = pool.size() < tasks ? first - worker * at_once : 0;
        for (int r = 0; r < count; r += amx::depth) {  // few rows at a time: they may all be on pages of their own
          const int end = std::min(r + amx::depth, count);
          d_is_wide ? pack_d(2 * first, std::min(2 * last, strips), r, end, 2 * shift)
                    : pack_x(first, last, r, end, shift);
        }
        amx::tile_scope tiles;
        const int others = d_is_wide ? panels : pairs, lines = (terms * block + last - first - 1) / (last - first);
        const auto row_of = [&](int own, int other) { return (d_is_wide ? own : other) * block; };
        const auto column_of = [&](int own, int other) { return (d_is_wide ? other : own) * block; };
        for (int other = 0; other < others; ++other) {
          // what comes next is fetched meanwhile: the other operand, and sums
          const std::byte* ahead = d_is_wide ? panel(other + 1) : strip(2 * other + 2);
          for (int u = 0; u < steps; u += depth) {
            const int some = std::min(depth, steps - u);
            for (int own = first; own < last; ++own) {
              const int i = row_of(own, other), j = column_of(own, other);
              const bool turns = own + 1 == last;
              const int next_i = row_of(turns ? first : own + 1, turns ? other + 1 : other);
              const int next_j = column_of(turns ? first : own + 1, turns ? other + 1 : other);
              for (int row = next_i; row < std::min(n, next_i + block) && next_j < k; ++row) {
                _mm_prefetch(reinterpret_cast<const char*>(g + row * ld + next_j), _MM_HINT_T0);
                _mm_prefetch(reinterpret_cast<const char*>(g + row * ld + next_j + 16), _MM_HINT_T0);
              }
              const auto rows_at = rows_of(strip(2 * (d_is_wide ? own - shift : other)), length, u);
              const auto columns_at = columns_of(panel(d_is_wide ? other : own - shift), panel_width(k, j), u);
              add_block(tiles, rows_at, columns_at, some, g + i * ld + j, ld, std::min(block, n - i),
                        std::min(block, k - j), {reinterpret_cast<const char*>(ahead), lines});
              ahead += std::ptrdiff_t{64} * some * lines;
            }
          }
        }
      });
    }
  }

 private:
  using packing = detail::tile_packing<T>;
  static constexpr int terms = packing::terms;
  static constexpr int block = 2 * amx::rows;  // rows and columns of a block of sums: four tiles
  static constexpr int depth = 16;  // steps of the reduction while which two strips stay in a first-level cache
  static constexpr int tile_bytes = amx::rows * amx::row_bytes;
  static_assert(block == weight_panel);

  /// Can rows be read in place? Those that share few sets of a first-level cache are better copied.
  static bool lie_as_tiles(strided<const T> a, int k) {
    return terms == 1 && a.col == 1 && k % amx::depth == 0 && a.row * 2 % 2048 != 0;
  }
  static constexpr std::size_t size(int n) { return static_cast<std::size_t>(n); }
  static constexpr int tiles_for(int k) { return (k + amx::depth - 1) / amx::depth; }
  static constexpr std::size_t strip_bytes(int k) { return size(tiles_for(k)) * terms * tile_bytes; }
  static constexpr std::size_t column_bytes(int k) { return size(tiles_for(k)) * terms * amx::row_bytes; }
  static constexpr int panel_width(int n, int j) { return std::min(block, padded_outputs(n) - j); }
  static void pack_strips(strided<const T> a, int m, int k, void* workspace) {
    auto* strip = static_cast<std::byte*>(workspace);
    for (int i = 0; i < m; i += amx::rows, strip += strip_bytes(k)) {
      packing::rows_of_product({a.data + i * a.row, a.row, a.col}, std::min(amx::rows, m - i), m - i, k, strip);
    }
  }
  /// Steps of one part of the reduction.
  static int part_of(int steps) {
    const int parts = std::max(1, (steps + depth - 1) / depth);
    return (steps + parts - 1) / parts;
  }
  /// Rows of x from step u of the reduction on, which is step `at` of strips of k elements.
  static amx::operand operand_of(strided<const T> x, int x_k, const void* packed, int k, int at, int u) {
    if (lie_as_tiles(x, x_k)) return {x.data + u * amx::depth, 32 * x.row, amx::row_bytes, 2 * x.row};
    return rows_of(static_cast<const std::byte*>(packed), k, at);
  }
  /// Steps [u, u + some) of the sums of these columns.
  TRM_TARGET_AMX static void multiply_part(amx::tile_scope& tiles, amx::operand rows, int m, const void* prepared,
                                           int n, int k, int u, int some, column_range columns, float* out,
                                           std::ptrdiff_t ld) {
    const int first = columns.first, end = first + columns.count, steps = tiles_for(k);
    const auto panel = [&](int j, int step) {
      return columns_of(static_cast<const std::byte*>(prepared) + size(j) * column_bytes(k), panel_width(n, j), step);
    };
    for (int j = first; j < end; j += block) {  // a panel's part stays near while rows pass by
      const amx::operand b = panel(j, u);
      // The next one is fetched meanwhile, a share of it with each step: it would come from afar.
      amx::operand next = panel(columns.next, 0);
      if (j + block < end) {
        next = panel(j + block, u);
      } else if (u + some < steps) {
        next = panel(first, u + some);
      }
      const int blocks = (m + block - 1) / block, lines = (terms * block + blocks - 1) / blocks;
      amx::operand a = rows;
      for (int i = 0; i < m; i += block) {
        const amx::prefetch ahead{next.tile(0, 0) + std::ptrdiff_t{64} * (i / block) * some * lines, lines};
        multiply_block(tiles, a, b, some, out + i * ld + (j - first), ld, std::min(block, m - i),
                       std::min(block, end - j), u != 0, ahead);
        a.data = a.tile(2, 0);
      }
    }
  }
  /// Two strips from step u on.
  static amx::operand rows_of(const std::byte* strip, int k, int u) {
    return {strip + strip_bytes(u * amx::depth), static_cast<std::ptrdiff_t>(strip_bytes(k)), terms * tile_bytes,
            amx::row_bytes, tile_bytes};
  }
  /// A panel of `width` columns from step u on.
  static amx::operand columns_of(const std::byte* panel, int width, int u) {
    return {panel + size(width) * column_bytes(u * amx::depth), amx::row_bytes,
            std::ptrdiff_t{terms} * amx::row_bytes * width, std::ptrdiff_t{4} * width,
            std::ptrdiff_t{amx::row_bytes} * width};
  }

  /// One block of sums, of up to 32 rows and columns.
  TRM_TARGET_AMX static void multiply_block(amx::tile_scope& tiles, const amx::operand& a, const amx::operand& b,
                                            int steps, float* c, std::ptrdiff_t ldc, int rows, int columns,
                                            bool proceed, amx::prefetch ahead = {}) {
    tiles.shape(rows, columns);
    if (rows > 16 && columns > 16) {
      amx::multiply<terms, 2, 2>(a, b, steps, c, ldc, proceed, ahead);
    } else if (rows > 16) {
      amx::multiply<terms, 2, 1>(a, b, steps, c, ldc, proceed, ahead);
    } else if (columns > 16) {
      amx::multiply<terms, 1, 2>(a, b, steps, c, ldc, proceed, ahead);
    } else {
      amx::multiply<terms, 1, 1>(a, b, steps, c, ldc, proceed, ahead);
    }
  }

  /// g += a block.
  template <class G>
  TRM_TARGET_AMX static void add_block(amx::tile_scope& tiles, const amx::operand& a, const amx::operand& b, int steps,
                                       G* g, std::ptrdiff_t ld, int rows, int columns, amx::prefetch ahead) {
    if constexpr (std::is_same_v<G, float>) {
      multiply_block(tiles, a, b, steps, g, ld, rows, columns, true, ahead);
    } else {
      alignas(64) float sums[block * block];
      multiply_block(tiles, a, b, steps, sums, block, rows, columns, false, ahead);
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < columns; ++j) g[i * ld + j] += static_cast<G>(sums[i * block + j]);
      }
    }
  }
};

#else

/// There are no tiles here.
template <class T>
struct tile_product {
  static constexpr bool usable() { return false; }
  static constexpr std::size_t prepared_bytes(int, int) { return 0; }
  static constexpr std::size_t rows_bytes(int, int) { return 0; }
  template <class... Arguments>
  static void prepare(const Arguments&...) {}
  static constexpr std::size_t accumulate_workspace(int, int) { return 0; }
  template <class... Arguments>
  static void pack(const Arguments&...) {}
  template <class... Arguments>
  static void multiply_columns(const Arguments&...) {}
  template <class... Arguments>
  static void multiply(const Arguments&...) {}
  template <class... Arguments>
  static void accumulate(thread_pool&, const Arguments&...) {}
};

#endif

}  // namespace trm::cpu
