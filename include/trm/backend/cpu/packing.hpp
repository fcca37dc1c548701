// SPDX-License-Identifier: MIT
// Operands of register tiles: strips of a matrix in the order in which the tile kernels read them.
//
// A strip is `width` rows or columns of the matrix (the index i) along the whole reduction (the index r). It is stored
// as 32-bit words, word[u * width + i]: one step u of the reduction is a float32 (r = u), or a pair of bf16, r = 2u in
// the lower half and r = 2u + 1 in the upper one, as vdpbf16ps reads them. A pair without a second element has zero
// there.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "trm/backend/cpu/lanes.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu {

/// What a word of a strip holds. single: one float32. pair: two bf16 that follow one another in the reduction.
enum class word_kind { single, pair };

/// Elements of the reduction in one word.
constexpr int elements_of(word_kind kind) { return kind == word_kind::pair ? 2 : 1; }
/// Words for so many elements of the reduction, the last pair filled up.
constexpr int words_for(word_kind kind, int elements) { return (elements + elements_of(kind) - 1) / elements_of(kind); }

/// What happens to what the tile's place held before.
enum class tile_start {
  replace,  // c = sum
  add,      // c = c + sum
  proceed,  // the sum begins with c
};

/// Outputs of a panel of a prepared weight: 32, the last one 16 where that is enough.
inline constexpr int weight_panel = 32;
/// Outputs of a prepared weight of n: whole vectors of 16.
constexpr int padded_outputs(int n) { return (n + 15) / 16 * 16; }
/// Steps of a panel of k elements: pairs fill whole tiles of the processor, which have 16.
constexpr std::size_t panel_steps(word_kind kind, int k) {
  const int steps = words_for(kind, k);
  return static_cast<std::size_t>(kind == word_kind::pair ? (steps + 15) / 16 * 16 : steps);
}

namespace detail {

/// The bits of one element as a word has them.
template <word_kind Kind, class S>
inline std::uint32_t element_bits(S value) {
  if constexpr (Kind == word_kind::pair) {
    if constexpr (std::is_same_v<S, bf16>) {
      return value.bits;
    } else {
      return bf16(value).bits;
    }
  } else {
    return __builtin_bit_cast(std::uint32_t, static_cast<float>(value));
  }
}

/// N neighbouring i of one step; `second` is how far the second element of a pair is.
template <word_kind Kind, int N, class S>
TRM_INLINE inline words<N> words_across(const S* p, std::ptrdiff_t second) {
  if constexpr (Kind == word_kind::single) {
    return bits_as<std::uint32_t>(load_floats<N>(p));
  } else if constexpr (std::is_same_v<S, bf16>) {
    return {load_words<N>(p).v | (load_words<N>(p + second).v << 16)};
  } else {
    return {round_to_bf16(load_floats<N>(p)).v | (round_to_bf16(load_floats<N>(p + second)).v << 16)};
  }
}

template <int N, std::size_t... Index>
TRM_INLINE inline words<N> join_pairs(const words<N>& a, const words<N>& b, std::index_sequence<Index...>) {
  const auto even = __builtin_shufflevector(a.v, b.v, static_cast<int>(2 * Index)...);
  const auto odd = __builtin_shufflevector(a.v, b.v, static_cast<int>(2 * Index + 1)...);
  return {even | (odd << 16)};
}

/// N neighbouring steps of one i, where the elements of the reduction are contiguous.
template <word_kind Kind, int N, class S>
TRM_INLINE inline words<N> words_along(const S* p) {
  if constexpr (Kind == word_kind::single) {
    return bits_as<std::uint32_t>(load_floats<N>(p));
  } else if constexpr (std::is_same_v<S, bf16>) {
    words<N> r;
    __builtin_memcpy(&r.v, p, sizeof r.v);
    return r;
  } else {
    return join_pairs(round_to_bf16(load_floats<N>(p)), round_to_bf16(load_floats<N>(p + N)),
                      std::make_index_sequence<N>());
  }
}

template <int N, int Half, std::size_t... Index>
TRM_INLINE inline void exchange(words<N>& a, words<N>& b, std::index_sequence<Index...>) {
  constexpr int n = N, h = Half;
  const auto low = __builtin_shufflevector(
      a.v, b.v, ((static_cast<int>(Index) & h) ? n + static_cast<int>(Index) - h : static_cast<int>(Index))...);
  const auto high = __builtin_shufflevector(
      a.v, b.v, ((static_cast<int>(Index) & h) ? n + static_cast<int>(Index) : static_cast<int>(Index) + h)...);
  a.v = low;
  b.v = high;
}

/// Transposes N vectors of N words by exchanging ever larger off-diagonal blocks.
template <int N, int Half = 1>
TRM_INLINE inline void transpose(words<N> (&m)[N]) {
  if constexpr (Half < N) {
    TRM_UNROLL
    for (int i = 0; i < N; ++i) {
      if ((i & Half) == 0) exchange<N, Half>(m[i], m[i + Half], std::make_index_sequence<N>());
    }
    transpose<N, 2 * Half>(m);
  }
}

template <word_kind Kind, int N, class S>
TRM_INLINE inline void pack_lanes(const S* src, std::ptrdiff_t si, std::ptrdiff_t sr, int valid, int readable,
                                  int width, std::uint32_t* strip, int first, int count) {
  constexpr int per_word = elements_of(Kind);
  const auto bits = [&](int i, int r) TRM_INLINE { return element_bits<Kind>(src[i * si + r * sr]); };
  std::uint32_t* out = strip + static_cast<std::ptrdiff_t>(first / per_word) * width;
  if (Kind == word_kind::pair && first % 2 != 0 && count > 0) {
    for (int i = 0; i < valid; ++i) out[i] = (out[i] & 0xffffu) | (bits(i, 0) << 16);
    out += width;
    src += sr;
    --count;
  }
  const int steps = count / per_word;
  int done = 0;
  if constexpr (!std::is_same_v<S, double>) {
    // a whole vector where it ends within these steps: what it writes beyond its own step is written again by the next
    // ones
    const std::uint32_t* const end = out + static_cast<std::ptrdiff_t>(steps) * width;
    if (si == 1) {
      for (; done < steps; ++done) {
        const S* row = src + done * per_word * sr;
        const bool before_last =
            done + 1 < steps && sr > 0;  // what follows is at least one more row of the same matrix
        for (int c = 0; c < width; c += N) {
          words<N> w;
          if (readable - c >= N || (before_last && sr + readable - c >= N)) {
            w = words_across<Kind, N>(row + c, sr);
          } else {
            std::uint32_t part[N] = {};
            for (int i = 0; i < N && c + i < valid; ++i) {
              part[i] = bits(c + i, done * per_word);
              if constexpr (Kind == word_kind::pair) part[i] |= bits(c + i, done * 2 + 1) << 16;
            }
            w = words<N>::load(part);
          }
          std::uint32_t* to = out + static_cast<std::ptrdiff_t>(done) * width + c;
          if (width - c >= N || end - to >= N) {
            w.store(to);
          } else {
            w.store(to, width - c);
          }
        }
      }
    } else if (sr == 1) {
      for (; done + N <= steps; done += N) {
        for (int c = 0; c < width; c += N) {
          words<N> m[N];
          TRM_UNROLL
          for (int i = 0; i < N; ++i) {  // lanes without a row repeat the last one
            m[i] = words_along<Kind, N>(src + std::min(c + i, valid - 1) * si + done * per_word);
          }
          transpose(m);
          std::uint32_t* to = out + static_cast<std::ptrdiff_t>(done) * width + c;
          if (width - c >= N || end - (to + std::ptrdiff_t{N - 1} * width) >= N) {
            TRM_UNROLL
            for (int t = 0; t < N; ++t) m[t].store(to + static_cast<std::ptrdiff_t>(t) * width);
          } else {
            std::uint32_t whole[N * N];
            TRM_UNROLL
            for (int t = 0; t < N; ++t) m[t].store(whole + t * N);
            for (int t = 0; t < N; ++t)
              std::copy_n(whole + t * N, width - c, to + static_cast<std::ptrdiff_t>(t) * width);
          }
        }
      }
    }
  }
  for (; done < steps; ++done) {
    for (int i = 0; i < width; ++i) {
      std::uint32_t w = 0;
      if (i < valid) {
        w = bits(i, done * per_word);
        if constexpr (Kind == word_kind::pair) w |= bits(i, done * 2 + 1) << 16;
      }
      out[static_cast<std::ptrdiff_t>(done) * width + i] = w;
    }
  }
  if (Kind == word_kind::pair && count % 2 != 0) {
    for (int i = 0; i < width; ++i) {
      out[static_cast<std::ptrdiff_t>(steps) * width + i] = i < valid ? bits(i, count - 1) : 0;
    }
  }
}

}  // namespace detail

/// Writes elements r in [first, first + count) of a strip; (i, r) is src[i * si + (r - first) * sr] for i < valid,
/// other lanes hold anything. `readable` >= valid is how many i can be read. An odd `first` completes the pair that an
/// earlier call began. Nothing outside the steps named is written.
template <isa Level, word_kind Kind, class S>
inline void pack_strip(const S* src, std::ptrdiff_t si, std::ptrdiff_t sr, int valid, int readable, int width,
                       std::uint32_t* strip, int first, int count) {
  // the packing of AVX-512 needs no bf16 products
  with_isa<Level == isa::avx512_bf16 ? isa::avx512 : Level>([&](auto level) TRM_INLINE {
    detail::pack_lanes<Kind, level.lanes>(src, si, sr, valid, readable, width, strip, first, count);
  });
}

/// f(sample, row, r, some) for the pieces of rows r in [first, last) that belong to one sample of `rows` rows; row r is number
/// `begin` + r over all samples.
template <class F>
inline void each_piece(std::ptrdiff_t begin, int rows, int first, int last, F f) {
  for (int r = first, some; r < last; r += some) {
    const std::ptrdiff_t sample = (begin + r) / rows, row = (begin + r) % rows;
    some = static_cast<int>(std::min<std::ptrdiff_t>(last - r, rows - row));
    f(sample, row, r, some);
  }
}

}  // namespace trm::cpu

#pragma GCC diagnostic pop
