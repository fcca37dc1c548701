// SPDX-License-Identifier: MIT
// Products of bf16 by the processor's tiles (amx.hpp), for weights as builtin_product prepares them.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "trm/backend/cpu/packing.hpp"
#include "trm/backend/cpu/product_provider.hpp"

namespace trm::cpu {

#if defined(TRM_TARGET_AMX)

namespace detail {

/// Element (i, r) of a strip of 16 rows, as tiles are read: tiles of 32 elements of the reduction one after the other.
constexpr std::ptrdiff_t place_in_tiles(int i, int r) { return std::ptrdiff_t{r / 32} * 512 + i * 32 + r % 32; }

TRM_INLINE inline void pack_tile_lanes(const bf16* src, std::ptrdiff_t si, std::ptrdiff_t sr, int valid, int readable,
                                       bf16* strip, int first, int count) {
  const auto words_at = [&](int i, int r)
                            TRM_INLINE { return reinterpret_cast<std::uint32_t*>(strip + place_in_tiles(i, r)); };
  int done = 0;
  if (first % 32 == 0 && sr == 1) {
    for (; done + 32 <= count; done += 32) {
      for (int i = 0; i < 16; ++i) {
        (i < valid ? words_along<word_kind::pair, 16>(src + i * si + done) : words<16>::zero())
            .store(words_at(i, first + done));
      }
    }
  } else if (first % 32 == 0 && si == 1) {
    for (; done + 32 <= count; done += 32) {
      // a row that ends within a vector is read with the beginning of the next one
      if (readable < 16 && (done + 32 == count || sr + readable < 16)) break;
      words<16> m[16];
      TRM_UNROLL
      for (int u = 0; u < 16; ++u) m[u] = words_across<word_kind::pair, 16>(src + (done + 2 * u) * sr, sr);
      transpose(m);
      TRM_UNROLL
      for (int i = 0; i < 16; ++i) m[i].store(words_at(i, first + done));
    }
  }
  for (; done < count; ++done) {
    for (int i = 0; i < 16; ++i) {
      strip[place_in_tiles(i, first + done)] = i < valid ? src[i * si + done * sr] : bf16{};
    }
  }
}

/// Writes elements r in [first, first + count) of a strip of 16 rows; (i, r) is src[i * si + (r - first) * sr] for i < valid, other rows
/// hold anything: they reach sums of their own alone. `readable` >= valid is how many i can be read.
TRM_TARGET_AVX512 inline void pack_tile_rows(const bf16* src, std::ptrdiff_t si, std::ptrdiff_t sr, int valid,
                                             int readable, bf16* strip, int first, int count) {
  pack_tile_lanes(src, si, sr, valid, readable, strip, first, count);
}

}  // namespace detail

/// The part of builtin_product that multiplies bf16 by tiles. Sums are blocks of 32 x 32, each one chain along the reduction.
struct tile_product {
  /// Has the processor tiles, and may they be used?
  static bool usable() { return current_isa() == isa::amx; }

  /// Rows as `multiply` reads them: strips of 16, zeros behind the k-th element; those that tiles can read where they lie are not
  /// packed.
  static void pack(strided<const bf16> a, int m, int k, void* workspace) {
    auto* strip = static_cast<bf16*>(workspace);
    for (int i = 0; i < m; i += amx::rows, strip += strip_size(k)) {
      if (lie_as_tiles(a, m - i / block * block, k)) continue;
      detail::pack_tile_rows(a.data + i * a.row, a.row, a.col, std::min(amx::rows, m - i), m - i, strip, 0, k);
      clear_tail(strip, k);
    }
  }

  /// As builtin_product::multiply_columns.
  TRM_TARGET_AMX static void multiply(strided<const bf16> x, int m, const void* prepared, int n, int k, int first,
                                      int count, float* out, std::ptrdiff_t ld, const void* packed) {
    const amx::tile_scope scope;
    const int steps = tiles_for(k), parts = std::max(1, (steps + depth - 1) / depth),
              part = (steps + parts - 1) / parts;
    for (int u = 0; u < steps; u += part) {
      for (int i = 0; i < m; i += block) {
        const amx::operand a =
            lie_as_tiles(x, m - i, k)
                ? amx::operand{x.data + i * x.row + u * amx::depth, 32 * x.row, amx::row_bytes, 2 * x.row}
                : rows_of(static_cast<const bf16*>(packed) + size(i) / amx::rows * strip_size(k), k, u);
        for (int j = first; j < first + count; j += block) {
          const auto* words = static_cast<const std::uint32_t*>(prepared) + size(j) * panel_steps(word_kind::pair, k);
          multiply_block(a, columns_of(words, std::min(block, padded_outputs(n) - j), u), std::min(part, steps - u),
                         out + i * ld + (j - first), ld, std::min(block, m - i), std::min(block, first + count - j),
                         u == 0 ? tile_start::replace : tile_start::proceed);
        }
      }
    }
    if (steps == 0) {
      for (int i = 0; i < m; ++i) std::fill_n(out + i * ld, count, 0.0f);
    }
  }

  /// Bytes that `accumulate` needs: both operands of one chunk of the reduction.
  static constexpr std::size_t accumulate_workspace(int n, int k) {
    return sizeof(bf16) * size(chunk) * (size(n + amx::rows) + size(padded_outputs(k)));
  }

  /// As builtin_product::accumulate. The reduction is cut into chunks whose size depends on nothing but its length.
  template <class G>
  static void accumulate(thread_pool& pool, int batch, int rows, strided<const bf16> d, std::ptrdiff_t d_sample, int n,
                         strided<const bf16> x, std::ptrdiff_t x_sample, int k, G* g, std::ptrdiff_t ld,
                         void* workspace) {
    const std::ptrdiff_t total = std::ptrdiff_t{batch} * rows, chunks = (total + chunk - 1) / chunk;
    if (chunks == 0) return;
    const int length = tiles_for(static_cast<int>((total + chunks - 1) / chunks)) * amx::depth;
    const int strips = (n + amx::rows - 1) / amx::rows, panels = (k + block - 1) / block;
    auto* const d_packed = static_cast<bf16*>(workspace);
    auto* const x_packed = reinterpret_cast<std::uint32_t*>(d_packed + size(strips) * strip_size(length));
    const auto panel_width = [k](int j) { return std::min(block, padded_outputs(k) - j); };
    for (std::ptrdiff_t begin = 0; begin < total; begin += length) {
      const int count = static_cast<int>(std::min<std::ptrdiff_t>(length, total - begin)), steps = tiles_for(count);
      const auto pack_d = [&](int first_strip, int last_strip, int first, int last) {
        each_piece(begin, rows, first, last, [&](std::ptrdiff_t sample, std::ptrdiff_t row, int r, int some) {
          for (int s = first_strip, i = s * amx::rows; s < last_strip; ++s, i += amx::rows) {
            detail::pack_tile_rows(d.data + sample * d_sample + row * d.row + i * d.col, d.col, d.row,
                                   std::min(amx::rows, n - i), n - i, d_packed + size(s) * strip_size(length), r, some);
          }
        });
        for (int s = first_strip; last == count && s < last_strip; ++s) {
          clear_tail(d_packed + size(s) * strip_size(length), count);
        }
      };
      const auto pack_x = [&](int first_panel, int last_panel, int first, int last) {
        each_piece(begin, rows, first, last, [&](std::ptrdiff_t sample, std::ptrdiff_t row, int r, int some) {
          for (int j = first_panel * block; j < std::min(k, last_panel * block); j += block) {
            pack_strip<isa::avx512, word_kind::pair>(x.data + sample * x_sample + row * x.row + j * x.col, x.col, x.row,
                                                     std::min(panel_width(j), k - j), k - j, panel_width(j),
                                                     x_packed + size(j) * size(length / 2), r, some);
          }
        });
        for (int j = first_panel * block; last == count && j < std::min(k, last_panel * block); j += block) {
          std::uint32_t* panel = x_packed + size(j) * size(length / 2);
          std::fill(panel + (count + 1) / 2 * panel_width(j), panel + steps * 16 * panel_width(j), 0u);
        }
      };

      // the narrower operand is packed first, for all; a task packs its own part of the wider one
      const bool d_is_wide = n >= k;
      constexpr int slab = 64;  // rows in one task of packing, in whole tiles
      pool.run((count + slab - 1) / slab, [&](int task, int) {
        const int first = task * slab, last = std::min(first + slab, count);
        d_is_wide ? pack_x(0, panels, first, last) : pack_d(0, strips, first, last);
      });
      const int pairs = (strips + 1) / 2, wide = d_is_wide ? pairs : panels;
      const int at_once = pool.at_once(wide, 8);
      pool.run((wide + at_once - 1) / at_once, [&](int task, int) {
        const int first = task * at_once, last = std::min(first + at_once, wide);
        for (int r = 0; r < count; r += slab) {  // few rows at a time: they may all be on pages of their own
          const int end = std::min(r + slab, count);
          d_is_wide ? pack_d(2 * first, std::min(2 * last, strips), r, end) : pack_x(first, last, r, end);
        }
        const amx::tile_scope scope;
        for (int other = 0; other < (d_is_wide ? panels : pairs); ++other) {
          for (int u = 0; u < steps; u += depth) {
            for (int own = first; own < last; ++own) {
              const int i = (d_is_wide ? own : other) * block, j = (d_is_wide ? other : own) * block;
              add_block(rows_of(d_packed + size(i) / amx::rows * strip_size(length), length, u),
                        columns_of(x_packed + size(j) * size(length / 2), panel_width(j), u),
                        std::min(depth, steps - u), g + i * ld + j, ld, std::min(block, n - i), std::min(block, k - j));
            }
          }
        }
      });
    }
  }

 private:
  static constexpr int block = 2 * amx::rows;  // rows and columns of a block of sums: four tiles
  static constexpr int depth = 16;    // steps of the reduction while which two strips stay in a first-level cache
  static constexpr int chunk = 1024;  // rows of the reduction that a weight gradient packs at a time
  static_assert(block == weight_panel);

  /// Can a block whose first row is followed by `left` rows be read in place? Rows that share few sets of a first-level cache are
  /// better copied.
  static bool lie_as_tiles(strided<const bf16> a, int left, int k) {
    return a.col == 1 && k % amx::depth == 0 && (left >= block || left == amx::rows) && a.row * 2 % 2048 != 0;
  }
  static constexpr std::size_t size(int n) { return static_cast<std::size_t>(n); }
  static constexpr int tiles_for(int k) { return (k + amx::depth - 1) / amx::depth; }
  /// Elements of a strip.
  static constexpr std::size_t strip_size(int k) { return size(tiles_for(k)) * amx::depth * amx::rows; }
  static void clear_tail(bf16* strip, int k) {
    for (int r = k; r % amx::depth != 0; ++r) {
      for (int i = 0; i < amx::rows; ++i) strip[detail::place_in_tiles(i, r)] = bf16{};
    }
  }
  /// Two strips from step u on.
  static amx::operand rows_of(const bf16* strip, int k, int u) {
    return {strip + size(u) * 512, static_cast<std::ptrdiff_t>(sizeof(bf16) * strip_size(k)), 1024, amx::row_bytes};
  }
  /// A panel of `width` columns from step u on.
  static amx::operand columns_of(const std::uint32_t* panel, int width, int u) {
    return {panel + size(u) * 16 * size(width), amx::row_bytes, std::ptrdiff_t{64} * width, std::ptrdiff_t{4} * width};
  }

  TRM_TARGET_AMX static void multiply_tiles(const amx::operand& a, const amx::operand& b, int steps, float* c,
                                            std::ptrdiff_t ldc, int rows, int columns, bool proceed) {
    if (rows > 16 && columns > 16) {
      amx::multiply<2, 2>(a, b, steps, c, ldc, proceed);
    } else if (rows > 16) {
      amx::multiply<2, 1>(a, b, steps, c, ldc, proceed);
    } else if (columns > 16) {
      amx::multiply<1, 2>(a, b, steps, c, ldc, proceed);
    } else {
      amx::multiply<1, 1>(a, b, steps, c, ldc, proceed);
    }
  }

  /// One block of sums; its edges by way of a whole one.
  TRM_TARGET_AMX static void multiply_block(const amx::operand& a, const amx::operand& b, int steps, float* c,
                                            std::ptrdiff_t ldc, int rows, int columns, tile_start start) {
    const bool proceed = start == tile_start::proceed;
    if (rows % 16 == 0 && columns % 16 == 0) return multiply_tiles(a, b, steps, c, ldc, rows, columns, proceed);
    alignas(64) float whole[block * block];
    if (proceed) {
      std::fill_n(whole, block * block, 0.0f);
      for (int i = 0; i < rows; ++i) std::copy_n(c + i * ldc, columns, whole + i * block);
    }
    multiply_tiles(a, b, steps, whole, block, rows, columns, proceed);
    for (int i = 0; i < rows; ++i) std::copy_n(whole + i * block, columns, c + i * ldc);
  }

  /// g += a block.
  template <class G>
  TRM_TARGET_AMX static void add_block(const amx::operand& a, const amx::operand& b, int steps, G* g, std::ptrdiff_t ld,
                                       int rows, int columns) {
    if constexpr (std::is_same_v<G, float>) {
      multiply_block(a, b, steps, g, ld, rows, columns, tile_start::proceed);
    } else {
      alignas(64) float sums[block * block];
      multiply_tiles(a, b, steps, sums, block, rows, columns, false);
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < columns; ++j) g[i * ld + j] += static_cast<G>(sums[i * block + j]);
      }
    }
  }
};

#else

/// There are no tiles here.
struct tile_product {
  static constexpr bool usable() { return false; }
  static constexpr std::size_t accumulate_workspace(int, int) { return 0; }
  template <class... Arguments>
  static void pack(const Arguments&...) {}
  template <class... Arguments>
  static void multiply(const Arguments&...) {}
  template <class... Arguments>
  static void accumulate(thread_pool&, const Arguments&...) {}
};

#endif

}  // namespace trm::cpu
