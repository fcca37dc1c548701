// SPDX-License-Identifier: MIT
// The library's own products: packed operands, register tiles, an instruction set chosen at run time.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "trm/backend/cpu/reference_product.hpp"
#include "trm/backend/cpu/tile_kernel.hpp"
#include "trm/backend/cpu/tile_product.hpp"

namespace trm::cpu {

/// float32 and bf16 by packed strips and register tiles (the scheme of Goto and van de Geijn, ACM TOMS 34(3), 2008,
/// without its blocking of the reduction, which is short here); float64 by `reference_product`.
///
/// A prepared weight is panels of 32 outputs (the last one of 16 where that is enough), each [k][32] float32 or [k/2][32] pairs
/// of bf16, the same for every instruction set but one: where the processor has tiles (isa::amx) float32 is prepared, and
/// multiplied, as the sum of three bf16 (split_packing.hpp), which is as exact as float32 and twice as fast. bf16 is multiplied
/// by tiles, or in pairs by vdpbf16ps (subnormal numbers count as zero in both), elsewhere widened to float32.
struct builtin_product {
  static constexpr int row_block = 224;
  static constexpr bool rows_independent = true;
  static constexpr int column_unit = weight_panel;

  template <class T>
  static constexpr std::size_t prepared_bytes(int n, int k) {
    if constexpr (std::is_same_v<T, double>) {
      return reference_product::prepared_bytes<T>(n, k);
    } else {
      return std::max(sizeof(std::uint32_t) * size(padded_outputs(n)) * panel_steps(weight_kind<T>, k),
                      tile_product<T>::prepared_bytes(n, k));
    }
  }

  template <class T, class M>
  static void prepare(strided<const M> w, int n, int k, void* out) {
    if constexpr (std::is_same_v<T, double>) {
      reference_product::prepare<T, M>(w, n, k, out);
    } else {
      if constexpr (std::is_same_v<T, float>) {
        if (tile_product<T>::usable()) return tile_product<T>::prepare(w, n, k, out);
      }
      auto* words = static_cast<std::uint32_t*>(out);
      at_level(current_isa(), [&](auto level) {
        for (int j = 0; j < n; j += panel) {
          const int width = std::min(panel, padded_outputs(n) - j);
          std::uint32_t* to = words + size(j) * panel_steps(weight_kind<T>, k);
          pack_strip<level.value, weight_kind<T>>(w.data + j * w.row, w.row, w.col, std::min(width, n - j), n - j,
                                                  width, to, 0, k);
          const std::size_t used = size(words_for(weight_kind<T>, k));
          std::fill(to + used * size(width), to + panel_steps(weight_kind<T>, k) * size(width), 0u);
        }
      });
    }
  }

  /// Rows of one task, as many as the caches are best used with.
  template <class T>
  static int preferred_rows() {
    return tile_product<T>::usable() ? row_block : row_block / 2;
  }

  /// Rows of a tile of the processor.
  template <class T>
  static int row_unit() {
    return tile_product<T>::usable() ? amx::rows : 1;
  }

  /// The packed rows of one call.
  template <class T>
  static constexpr std::size_t multiply_workspace(int /*n*/, int k) {
    if constexpr (std::is_same_v<T, double>) {
      return 0;
    } else {
      return round_to_line(
          std::max(sizeof(float) * size(row_block) * size(k + 1), tile_product<T>::rows_bytes(row_block, k)));
    }
  }

  /// Rows as `multiply_columns` reads them.
  template <class T>
  static void pack(strided<const T> a, int m, int k, void* workspace) {
    if constexpr (!std::is_same_v<T, double>) {
      if (tile_product<T>::usable()) return tile_product<T>::pack(a, m, k, workspace);
      at_level(current_isa(),
               [&](auto level) { pack_at<level.value>(a, m, k, static_cast<std::uint32_t*>(workspace)); });
    }
  }
  /// tile[i * ld + j - first] for the columns j of the range, which begins at a multiple of 32, of rows that were packed.
  template <class T>
  static void multiply_columns(strided<const T> a, int m, const void* prepared, int n, int k, column_range columns,
                               accumulator<T>* tile, std::ptrdiff_t ld, const void* workspace) {
    static_assert(!std::is_same_v<T, double>, "float64 is multiplied as a whole");
    if (tile_product<T>::usable()) {
      return tile_product<T>::multiply_columns(a, m, prepared, n, k, columns, tile, ld, workspace);
    }
    at_level(current_isa(), [&](auto level) {
      multiply_at<level.value>(a, m, static_cast<const std::uint32_t*>(prepared), n, k, columns, tile, ld,
                               static_cast<const std::uint32_t*>(workspace));
    });
  }
  template <class T>
  static void multiply(strided<const T> a, int m, const void* prepared, int n, int k, accumulator<T>* tile,
                       std::ptrdiff_t ld, void* workspace) {
    if constexpr (std::is_same_v<T, double>) {
      reference_product::multiply<T>(a, m, prepared, n, k, tile, ld, workspace);
    } else {
      if (tile_product<T>::usable()) return tile_product<T>::multiply(a, m, prepared, n, k, tile, ld, workspace);
      pack(a, m, k, workspace);
      multiply_columns(a, m, prepared, n, k, {0, n, 0}, tile, ld, workspace);
    }
  }

  /// The packed strips of one chunk of the reduction.
  template <class T>
  static constexpr std::size_t accumulate_workspace(int n, int k) {
    if constexpr (std::is_same_v<T, double>) {
      return 0;
    } else {
      // strips of at most 14 rows, of 4 at least, each with a line behind it; then the panels
      const std::size_t strips = sizeof(std::uint32_t) * (size(chunk) * size(n + 14) + 16 * size(n / 4 + 3) +
                                                          size(padded_outputs(k)) * size(chunk));
      return round_to_line(std::max(strips, tile_product<T>::accumulate_workspace(n, k)));
    }
  }

  template <class T, class G>
  static void accumulate(thread_pool& pool, int batch, int rows, strided<const T> d, std::ptrdiff_t d_sample, int n,
                         strided<const T> x, std::ptrdiff_t x_sample, int k, G* g, std::ptrdiff_t ld, void* workspace) {
    if constexpr (std::is_same_v<T, double>) {
      reference_product::accumulate<T, G>(pool, batch, rows, d, d_sample, n, x, x_sample, k, g, ld, workspace);
    } else {
      if (d_sample == rows * d.row && x_sample == rows * x.row) {
        rows *= batch;
        batch = 1;
      }
      if (tile_product<T>::usable()) {
        return tile_product<T>::accumulate(pool, batch, rows, d, d_sample, n, x, x_sample, k, g, ld, workspace);
      }
      at_level(current_isa(), [&](auto level) {
        accumulate_at<level.value>(pool, batch, rows, d, d_sample, n, x, x_sample, k, g, ld,
                                   static_cast<std::uint32_t*>(workspace));
      });
    }
  }

 private:
  static constexpr int panel = weight_panel;
  static constexpr int chunk = 512;  // rows of the reduction that a weight gradient packs at a time
  // float32 that are read again and again without having been packed: they must stay in a first-level cache
  static constexpr int resident = 6144;
  static constexpr int widest_in_place = 256;  // channels, of a weight gradient's operands: a second-level cache

  template <class T>
  static constexpr word_kind weight_kind = std::is_same_v<T, bf16> ? word_kind::pair : word_kind::single;

  // Rows of a weight gradient's wider operand that are packed at a time: strips take parts of a row, and rows often lie apart by a power of
  // two, so that few of them stay in a first-level cache until the next strip takes the rest of their lines.
  static constexpr int few = 16;
  static constexpr int depth = 256;  // steps of a panel between visits to the sums

  static constexpr std::size_t size(int n) { return static_cast<std::size_t>(n); }
  static constexpr std::size_t round_to_line(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

  /// How the rows of one call become strips.
  template <isa Level, class T>
  struct row_strips {
    using kernel = tiles<Level>;
    static constexpr bool pairs = std::is_same_v<T, bf16> && isa_level<Level>::bf16_products;
    static constexpr word_kind kind = pairs ? word_kind::pair : word_kind::single;
    strided<const T> a;
    int m, k;

    int weight_steps() const { return words_for(weight_kind<T>, k); }
    /// Steps of a strip for each one of the weight.
    static constexpr int each = std::is_same_v<T, bf16> && !pairs ? 2 : 1;
    // Small float32 operands are read where they lie: columns are a strip already, whole strips of rows have a kernel.
    bool columns() const { return std::is_same_v<T, float> && a.row == 1 && a.col * k <= resident; }
    bool rows() const { return std::is_same_v<T, float> && a.col == 1 && a.row * kernel::rows <= resident; }
    bool in_place(int i) const {
      return (columns() && kernel::strip_rows(m - i) <= m - i) || (rows() && m - i >= kernel::rows);
    }
    std::size_t words(int i) const { return size(each * weight_steps()) * size(kernel::strip_rows(m - i)); }
  };

  template <isa Level, class T>
  static void pack_at(strided<const T> a, int m, int k, std::uint32_t* packing) {
    const row_strips<Level, T> s{a, m, k};
    constexpr word_kind kind = s.kind;
    for (int i = 0; i < m; i += tiles<Level>::rows) {
      if (s.in_place(i)) continue;
      const int width = tiles<Level>::strip_rows(m - i);
      pack_strip<Level, kind>(a.data + i * a.row, a.row, a.col, std::min(width, m - i), m - i, width, packing, 0, k);
      if (words_for(kind, k) < s.each * s.weight_steps())
        std::fill_n(packing + size(k) * size(width), width, 0u);  // the rest of a last pair
      packing += s.words(i);
    }
  }

  template <isa Level, class T>
  static void multiply_at(strided<const T> a, int m, const std::uint32_t* prepared, int n, int k, column_range range,
                          float* out, std::ptrdiff_t ld, const std::uint32_t* packed) {
    using kernel = tiles<Level>;
    using strips = row_strips<Level, T>;
    constexpr tile_operands operands = strips::pairs             ? tile_operands::pairs
                                       : std::is_same_v<T, bf16> ? tile_operands::float_by_pair
                                                                 : tile_operands::floats;
    const strips s{a, m, k};
    const int weight_steps = s.weight_steps(), parts = (weight_steps + depth - 1) / depth;
    const int part = (weight_steps + parts - 1) / std::max(parts, 1);
    const int first = range.first, end = first + range.count;
    for (int u = 0; u < weight_steps; u += part) {  // a panel's part stays in a first-level cache while strips pass by
      const int steps = std::min(part, weight_steps - u);
      for (int j = first; j < end; j += panel) {
        const int width = std::min(panel, padded_outputs(n) - j);
        const std::uint32_t* b = prepared + size(j) * panel_steps(weight_kind<T>, k) + size(u) * size(width);
        const std::uint32_t* strip = packed;
        // The next panel is fetched meanwhile, a share of it with each strip: it would come from afar.
        int next_j = j + panel, next_u = u;
        if (next_j >= end) next_u = u + part < weight_steps ? u + part : 0;
        if (next_j >= end) next_j = next_u > 0 ? first : range.next;
        const char* ahead = nullptr;
        if (next_j < n) {
          ahead = reinterpret_cast<const char*>(prepared + size(next_j) * panel_steps(weight_kind<T>, k) +
                                                size(next_u) * size(std::min(panel, padded_outputs(n) - next_j)));
        }
        const std::ptrdiff_t ahead_step = 4 * panel / ((m + kernel::rows - 1) / kernel::rows);
        for (int i = 0; i < m; i += kernel::rows) {
          const int strip_rows = kernel::strip_rows(m - i);
          const bool lies = s.in_place(i);
          for (int c = 0; c < width && j + c < end; c += kernel::columns) {
            tile t{strip + size(u) * size(s.each) * size(strip_rows),
                   strip_rows,
                   b + c,
                   width,
                   steps,
                   out + i * ld + (j - first) + c,
                   ld,
                   std::min(kernel::rows, m - i),
                   std::min(kernel::columns, end - j - c),
                   u == 0 ? tile_start::replace : tile_start::proceed,
                   ahead,
                   ahead_step};
            if constexpr (std::is_same_v<T, float>) {
              if (lies) {
                const bool columns = s.columns();
                t.a = reinterpret_cast<const std::uint32_t*>(a.data + i * a.row + u * a.col);
                t.lda = columns ? a.col : a.row;
                if (!columns) {
                  kernel::template compute<tile_operands::float_rows>(t, strip_rows);
                  continue;
                }
              }
            }
            kernel::template compute<operands>(t, strip_rows);
          }
          if (!lies) strip += s.words(i);
          if (ahead != nullptr) ahead += steps * ahead_step;
        }
      }
    }
    if (weight_steps == 0) {
      for (int i = 0; i < m; ++i) std::fill_n(out + i * ld, range.count, 0.0f);
    }
  }

  /// The reduction over all samples, cut into chunks whose size depends on nothing but its length. Of a chunk the narrower operand is
  /// packed first, for all; a task packs its own part of the wider one and multiplies it while it is in a second-level cache.
  template <isa Level, class T, class G>
  static void accumulate_at(thread_pool& pool, int batch, int rows, strided<const T> d, std::ptrdiff_t d_sample, int n,
                            strided<const T> x, std::ptrdiff_t x_sample, int k, G* g, std::ptrdiff_t ld,
                            std::uint32_t* workspace) {
    using kernel = tiles<Level>;
    constexpr bool pairs = std::is_same_v<T, bf16> && isa_level<Level>::bf16_products;
    constexpr word_kind kind = pairs ? word_kind::pair : word_kind::single;
    constexpr tile_operands operands = pairs ? tile_operands::pairs : tile_operands::floats;
    const std::ptrdiff_t total = std::ptrdiff_t{batch} * rows;
    const std::ptrdiff_t chunks = (total + chunk - 1) / chunk;
    if (chunks == 0) return;
    const int length = static_cast<int>((total + chunks - 1) / chunks + 1) / 2 * 2;
    const std::size_t steps = size(words_for(kind, length));
    // one line of space behind each strip of d: neighbours are then not a multiple of a page apart
    const std::size_t d_strip = size(kernel::rows) * steps + 16;
    const int d_strips = (n + kernel::rows - 1) / kernel::rows, panels = (k + panel - 1) / panel;
    std::uint32_t* const d_packed = workspace;
    std::uint32_t* const x_packed = workspace + size(d_strips) * d_strip / 16 * 16 + 16;
    // small float32 operands whose rows are contiguous are strips already
    const auto in_place = [&](strided<const T> v, std::ptrdiff_t sample, int width, int multiple) {
      return std::is_same_v<T, float> && v.col == 1 && (batch == 1 || sample == rows * v.row) && v.row >= width &&
             width <= widest_in_place && width % multiple == 0;
    };
    const bool d_lies = in_place(d, d_sample, n, 2), x_lies = in_place(x, x_sample, k, 16);
    const auto panel_width = [k](int p) { return std::min(panel, padded_outputs(k) - p * panel); };

    for (std::ptrdiff_t begin = 0; begin < total; begin += length) {
      const int count = static_cast<int>(std::min<std::ptrdiff_t>(length, total - begin));
      const auto pack_d = [&](int first_strip, int last_strip, int first, int last) {
        if (d_lies) return;
        each_piece(begin, rows, first, last, [&](std::ptrdiff_t sample, std::ptrdiff_t row, int r, int some) {
          const T* from = d.data + sample * d_sample + row * d.row;
          for (int s = first_strip; s < last_strip; ++s) {
            const int i = s * kernel::rows, width = kernel::strip_rows(n - i);
            pack_strip<Level, kind>(from + i * d.col, d.col, d.row, std::min(width, n - i), n - i, width,
                                    d_packed + size(s) * d_strip, r, some);
          }
        });
      };
      const auto pack_x = [&](int first_panel, int last_panel, int first, int last) {
        if (x_lies) return;
        each_piece(begin, rows, first, last, [&](std::ptrdiff_t sample, std::ptrdiff_t row, int r, int some) {
          const T* from = x.data + sample * x_sample + row * x.row;
          for (int p = first_panel; p < last_panel; ++p) {
            const int j = p * panel;
            pack_strip<Level, kind>(from + j * x.col, x.col, x.row, std::min(panel_width(p), k - j), k - j,
                                    panel_width(p), x_packed + size(j) * steps, r, some);
          }
        });
      };
      /// g += the product of strip s and panel p, steps [u, u + some)
      const auto multiply_tile = [&](int s, int p, int u, int some) {
        const int i = s * kernel::rows, strip_rows = kernel::strip_rows(n - i), width = panel_width(p), j = p * panel;
        for (int c = 0; c < width && j + c < k; c += kernel::columns) {
          const int m = std::min(kernel::rows, n - i), cols = std::min(kernel::columns, k - j - c);
          tile t{d_packed + size(s) * d_strip + size(u) * size(strip_rows),
                 strip_rows,
                 x_packed + size(j) * steps + size(u) * size(width) + size(c),
                 width,
                 some,
                 nullptr,
                 ld,
                 m,
                 cols,
                 tile_start::add};
          if constexpr (std::is_same_v<T, float>) {
            if (d_lies) {
              t.a = reinterpret_cast<const std::uint32_t*>(d.data + (begin + u) * d.row + i);
              t.lda = d.row;
            }
            if (x_lies) {
              t.b = reinterpret_cast<const std::uint32_t*>(x.data + (begin + u) * x.row + j + c);
              t.ldb = x.row;
            }
          }
          if constexpr (std::is_same_v<G, float>) {
            t.c = g + i * ld + j + c;
            kernel::template compute<operands>(t, strip_rows);
          } else {
            float sum[kernel::rows * kernel::columns];
            t.c = sum;
            t.ldc = kernel::columns;
            t.start = tile_start::replace;
            kernel::template compute<operands>(t, strip_rows);
            for (int row = 0; row < m; ++row) {
              for (int col = 0; col < cols; ++col) {
                g[(i + row) * ld + j + c + col] += static_cast<G>(sum[row * kernel::columns + col]);
              }
            }
          }
        }
      };

      const bool d_is_wide = n >= k;
      constexpr int slab = 64;  // rows in one task of packing
      pool.run((d_is_wide ? x_lies : d_lies) ? 0 : (count + slab - 1) / slab, [&](int task, int) {
        const int first = task * slab, last = std::min(first + slab, count);
        d_is_wide ? pack_x(0, panels, first, last) : pack_d(0, d_strips, first, last);
      });
      const int all_steps = words_for(kind, count);
      const int wide = d_is_wide ? d_strips : panels, at_once = pool.at_once(wide, d_is_wide ? 9 : 4);
      pool.run((wide + at_once - 1) / at_once, [&](int task, int) {
        const int first = task * at_once, last = std::min(first + at_once, wide);
        for (int r = 0; r < count; r += few) {
          const int end = std::min(r + few, count);
          d_is_wide ? pack_d(first, last, r, end) : pack_x(first, last, r, end);
        }
        for (int other = 0; other < (d_is_wide ? panels : d_strips); ++other) {
          for (int u = 0; u < all_steps; u += depth) {
            for (int own = first; own < last; ++own) {
              multiply_tile(d_is_wide ? own : other, d_is_wide ? other : own, u, std::min(depth, all_steps - u));
            }
          }
        }
      });
    }
  }
};

static_assert(multiplies_columns<builtin_product>);

}  // namespace trm::cpu
