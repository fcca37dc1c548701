// SPDX-License-Identifier: MIT
// float32 as a sum of three bf16, packed for the processor's tiles: x = x0 + x1 + x2, exactly.
//
// A float32 has 24 significant bits, a bf16 has 8. x0 is x rounded to bf16, x1 what is left rounded, x2 the rest, which has 8 bits at
// most; |x1| <= 2^-8 |x|, |x2| <= 2^-16 |x|. A product of two such sums is nine products of bf16, each exact in float32; the three of
// x1 y2, x2 y1, x2 y2 are less than 2^-23 |x y| together and are left out. (Henry, Tang, Heinecke, "Leveraging the bfloat16 Artificial
// Intelligence Datatype For Higher-Precision Computations", ARITH 2019, describe such sums.) What is below 2^-126 counts as zero in a
// tile; infinite values and those that round to infinity in bf16 (above 3.39e38) become NaN, as x - x0 is; NaN stays NaN.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "trm/backend/cpu/packing.hpp"

#if defined(TRM_TARGET_AMX)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu {

/// Terms of a float32 as a sum of bf16.
inline constexpr int split_terms = 3;

namespace detail {

/// Word i of term t holds term t of first[i] in its lower half, of second[i] in the upper one.
TRM_INLINE inline void split_pairs(const floats<16>& first, const floats<16>& second, words<16> (&term)[split_terms]) {
  floats<16> even = first, odd = second;
  const words<16> upper = words<16>::broadcast(0xffff0000u), half = words<16>::broadcast(0x8000u);
  TRM_UNROLL
  for (int t = 0; t < split_terms; ++t) {
    // the last term has no more than 8 bits: nothing is rounded
    const words<16> e = t == 2 ? bits_as<std::uint32_t>(even) : words<16>{bits_as<std::uint32_t>(even).v + half.v};
    const words<16> o = t == 2 ? bits_as<std::uint32_t>(odd) : words<16>{bits_as<std::uint32_t>(odd).v + half.v};
    term[t] = {(e.v >> 16) | (o.v & upper.v)};
    even = even - bits_as<float>(words<16>{e.v & upper.v});
    odd = odd - bits_as<float>(words<16>{o.v & upper.v});
  }
}

template <std::size_t... Index>
TRM_INLINE inline void separate_pairs(const floats<16>& a, const floats<16>& b, floats<16>& even, floats<16>& odd,
                                      std::index_sequence<Index...>) {
  even = {__builtin_shufflevector(a.v, b.v, static_cast<int>(2 * Index)...)};
  odd = {__builtin_shufflevector(a.v, b.v, static_cast<int>(2 * Index + 1)...)};
}

/// What a step of the reduction, of 32 elements, becomes. rows: 16 rows of a left operand, word (i, u) = elements 2u and 2u + 1 of row i;
/// columns: 16 columns of a right one, word (u, j).
enum class split_form { rows, columns };

/// One step: (i, r) is src[i * si + r * sr] for i < valid <= 16 and r < count <= 32, zero elsewhere. Term t, word (a, b) of the form, is
/// written to out[t * term + a * row + b]. Reads nothing else.
template <split_form Form, class S>
TRM_INLINE inline void split_step(const S* src, std::ptrdiff_t si, std::ptrdiff_t sr, int valid, int count,
                                  std::uint32_t* out, std::ptrdiff_t row, std::ptrdiff_t term) {
  alignas(64) float copy[16 * 32];
  const bool across = si == 1 && std::is_same_v<S, float>;
  const float* from = nullptr;
  if constexpr (std::is_same_v<S, float>) {
    if (across ? valid == 16 && count % 2 == 0 : sr == 1 && count == 32) from = src;
  }
  if (from == nullptr) {  // an edge, other strides or types: by way of a copy with zeros around it
    std::fill_n(copy, 16 * 32, 0.0f);
    for (int i = 0; i < valid; ++i) {
      for (int r = 0; r < count; ++r) copy[across ? r * 16 + i : i * 32 + r] = static_cast<float>(src[i * si + r * sr]);
    }
    from = copy;
    (across ? sr : si) = across ? 16 : 32;
    if (!across) valid = 16;
    count = 32;
  }
  alignas(64) std::uint32_t turned[split_terms][16 * 16];
  const bool turn = across == (Form == split_form::rows);
  const words<16> none = words<16>::zero();
  for (int v = 0; v < 16; ++v) {  // a pair of elements of all 16 lines, or all pairs of one line
    words<16> w[split_terms] = {none, none, none};
    if (across) {
      if (2 * v < count) {
        split_pairs(floats<16>::load(from + 2 * v * sr), floats<16>::load(from + (2 * v + 1) * sr), w);
      }
    } else if (v < valid) {
      floats<16> even, odd;
      separate_pairs(floats<16>::load(from + v * si), floats<16>::load(from + v * si + 16), even, odd,
                     std::make_index_sequence<16>());
      split_pairs(even, odd, w);
    }
    TRM_UNROLL
    for (int t = 0; t < split_terms; ++t) w[t].store(turn ? turned[t] + 16 * v : out + t * term + v * row);
  }
  if (turn) {
    for (int t = 0; t < split_terms; ++t) {
      words<16> m[16];
      TRM_UNROLL
      for (int v = 0; v < 16; ++v) m[v] = words<16>::load(turned[t] + 16 * v);
      transpose(m);
      TRM_UNROLL
      for (int v = 0; v < 16; ++v) m[v].store(out + t * term + v * row);
    }
  }
}

}  // namespace detail
}  // namespace trm::cpu

#pragma GCC diagnostic pop

#endif
