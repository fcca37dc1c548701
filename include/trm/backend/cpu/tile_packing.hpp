// SPDX-License-Identifier: MIT
// Operands of the processor's tiles (amx.hpp): strips of rows and panels of columns, of bf16, and of float32 in terms of bf16.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "trm/backend/cpu/packing.hpp"
#include "trm/backend/cpu/product_provider.hpp"
#include "trm/backend/cpu/split_packing.hpp"

namespace trm::cpu {

#if defined(TRM_TARGET_AMX)

namespace detail {

/// Rows [begin, begin + count) of one operand of a weight gradient, counted over samples of `rows` rows of `width` elements.
template <class T>
struct chunk_of {
  strided<const T> v;
  std::ptrdiff_t sample_step;
  int rows, width;
  std::ptrdiff_t begin;
  int count;

  const T* at(std::ptrdiff_t sample, std::ptrdiff_t row, int i) const {
    return v.data + sample * sample_step + row * v.row + i * v.col;
  }
};

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

/// How operands of one type are packed. A strip is 16 rows, a panel up to 32 columns; both are steps of 32 elements of the reduction, one
/// after the other, each of the tiles of its terms.
template <class T>
struct tile_packing;

/// bf16 as it is.
template <>
struct tile_packing<bf16> {
  static constexpr int terms = 1;
  static constexpr int chunk = 1024;  // rows of the reduction that a weight gradient packs at a time

  static void rows_of_product(strided<const bf16> a, int valid, int readable, int k, void* strip) {
    pack_tile_rows(a.data, a.row, a.col, valid, readable, static_cast<bf16*>(strip), 0, k);
    clear_tail(static_cast<bf16*>(strip), k);
  }
  static void rows_of_chunk(const chunk_of<bf16>& d, int i, int first, int last, void* strip) {
    each_piece(d.begin, d.rows, first, last, [&](std::ptrdiff_t sample, std::ptrdiff_t row, int r, int some) {
      pack_tile_rows(d.at(sample, row, i), d.v.col, d.v.row, std::min(amx::rows, d.width - i), d.width - i,
                     static_cast<bf16*>(strip), r, some);
    });
    if (last == d.count) clear_tail(static_cast<bf16*>(strip), d.count);
  }
  static void columns_of_chunk(const chunk_of<bf16>& x, int j, int width, int first, int last, std::uint32_t* panel) {
    each_piece(x.begin, x.rows, first, last, [&](std::ptrdiff_t sample, std::ptrdiff_t row, int r, int some) {
      pack_strip<isa::avx512, word_kind::pair>(x.at(sample, row, j), x.v.col, x.v.row, std::min(width, x.width - j),
                                               x.width - j, width, panel, r, some);
    });
    if (last == x.count) {
      std::fill(panel + std::ptrdiff_t{(x.count + 1) / 2} * width, panel + (x.count + 31) / 32 * 16 * width, 0u);
    }
  }

 private:
  static void clear_tail(bf16* strip, int k) {
    for (int r = k; r % amx::depth != 0; ++r) {
      for (int i = 0; i < amx::rows; ++i) strip[place_in_tiles(i, r)] = bf16{};
    }
  }
};

/// float32 as three bf16.
template <>
struct tile_packing<float> {
  static constexpr int terms = split_terms;
  static constexpr int chunk = 512;

  TRM_TARGET_AVX512 static void rows_of_product(strided<const float> a, int valid, int /*readable*/, int k,
                                                void* strip) {
    auto* out = static_cast<std::uint32_t*>(strip);
    for (int r = 0; r < k; r += amx::depth, out += step) {
      split_step<split_form::rows>(a.data + r * a.col, a.row, a.col, valid, std::min(amx::depth, k - r), out, 16, 256);
    }
  }
  /// A panel of a weight; master weights may be double.
  template <class M>
  TRM_TARGET_AVX512 static void columns_of_weight(strided<const M> w, int valid, int k, int width, void* panel) {
    auto* out = static_cast<std::uint32_t*>(panel);
    for (int r = 0; r < k; r += amx::depth, out += terms * 16 * width) {
      for (int j = 0; j < width; j += 16) {
        split_step<split_form::columns>(w.data + j * w.row + r * w.col, w.row, w.col, std::clamp(valid - j, 0, 16),
                                        std::min(amx::depth, k - r), out + j, width, 16 * width);
      }
    }
  }
  TRM_TARGET_AVX512 static void rows_of_chunk(const chunk_of<float>& d, int i, int first, int last, void* strip) {
    auto* out = static_cast<std::uint32_t*>(strip) + first / amx::depth * step;
    for (int r = first; r < last; r += amx::depth, out += step) {
      split_chunk_step<split_form::rows>(d, i, r, std::min(amx::depth, last - r), out, 16, 256);
    }
  }
  TRM_TARGET_AVX512 static void columns_of_chunk(const chunk_of<float>& x, int j, int width, int first, int last,
                                                 std::uint32_t* panel) {
    std::uint32_t* out = panel + first / amx::depth * terms * 16 * width;
    for (int r = first; r < last; r += amx::depth, out += terms * 16 * width) {
      for (int c = 0; c < width; c += 16) {
        split_chunk_step<split_form::columns>(x, j + c, r, std::min(amx::depth, last - r), out + c, width, 16 * width);
      }
    }
  }

 private:
  static constexpr int step = terms * 256;  // words of a strip

  /// A step of a chunk; rows of two samples by way of a copy.
  template <split_form Form>
  TRM_INLINE static void split_chunk_step(const chunk_of<float>& v, int i, int r, int count, std::uint32_t* out,
                                          std::ptrdiff_t row, std::ptrdiff_t term) {
    const std::ptrdiff_t sample = (v.begin + r) / v.rows, first = (v.begin + r) % v.rows;
    const int valid = std::clamp(v.width - i, 0, 16);
    if (first + count <= v.rows) {
      // rows are often on pages of their own, which no prefetcher foresees: they are asked for together
      if (v.v.col == 1) {
        for (int u = 0; u < count; ++u) {
          _mm_prefetch(reinterpret_cast<const char*>(v.at(sample, first + u, i)), _MM_HINT_T0);
        }
      }
      return split_step<Form>(v.at(sample, first, i), v.v.col, v.v.row, valid, count, out, row, term);
    }
    alignas(64) float copy[amx::depth * 16] = {};
    for (int u = 0; u < count; ++u) {
      const float* from = v.at((v.begin + r + u) / v.rows, (v.begin + r + u) % v.rows, i);
      for (int l = 0; l < valid; ++l) copy[u * 16 + l] = from[l * v.v.col];
    }
    split_step<Form>(static_cast<const float*>(copy), 1, 16, 16, amx::depth, out, row, term);
  }
};

}  // namespace detail

#endif

}  // namespace trm::cpu
