// SPDX-License-Identifier: MIT
// Attention by blocks: memory, blocks of queries and the running softmax over blocks of keys, for every instruction set.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "trm/backend/cpu/lanes.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu::detail {

inline constexpr int query_block = 64;
inline constexpr int key_block = 168;  // a multiple of the rows of every tile

/// Cuts a workspace into arrays of floats, each on a line of 64 bytes; without memory it measures.
struct attention_memory {
  float* base = nullptr;
  std::size_t used = 0;
  constexpr float* take(std::ptrdiff_t count) {
    float* p = base == nullptr ? nullptr : base + used;
    used += (static_cast<std::size_t>(count) + 15) / 16 * 16;
    return p;
  }
};

/// head_dim in whole vectors.
constexpr int padded_head(int head_dim) { return (head_dim + 15) / 16 * 16; }

struct attention_forward_arrays {
  float *k, *v, *q, *s, *o;
  constexpr attention_forward_arrays(attention_memory& m, int rows, int head_dim)
      : k(m.take(std::ptrdiff_t{rows + 16} * head_dim)),
        v(m.take(std::ptrdiff_t{rows} * padded_head(head_dim))),
        q(m.take(std::ptrdiff_t{query_block} * head_dim)),
        s(m.take(std::ptrdiff_t{std::min(rows, key_block)} * query_block)),
        o(m.take(std::ptrdiff_t{query_block} * padded_head(head_dim))) {}
};

struct attention_backward_arrays {
  float *k_strips, *v_strips, *k, *q_strip, *do_strip, *q, *d_o, *p, *ds, *turned, *dq;
  constexpr attention_backward_arrays(attention_memory& m, int rows, int head_dim)
      : k_strips(m.take(std::ptrdiff_t{rows + 16} * head_dim)),
        v_strips(m.take(std::ptrdiff_t{rows + 16} * head_dim)),
        k(m.take(std::ptrdiff_t{rows} * padded_head(head_dim))),
        q_strip(m.take(std::ptrdiff_t{query_block} * head_dim)),
        do_strip(m.take(std::ptrdiff_t{query_block} * head_dim)),
        q(m.take(std::ptrdiff_t{query_block} * padded_head(head_dim))),
        d_o(m.take(std::ptrdiff_t{query_block} * padded_head(head_dim))),
        p(m.take(std::ptrdiff_t{std::min(rows, key_block)} * query_block)),
        ds(m.take(std::ptrdiff_t{std::min(rows, key_block)} * query_block)),
        turned(m.take(16 * query_block)),
        dq(m.take(std::ptrdiff_t{query_block} * padded_head(head_dim))) {}
};

/// The queries of a block: how many, and how many keys each sees. Lanes behind the last query are as the last one.
struct query_range {
  int first, count, columns;  // columns: count in whole vectors
  std::uint32_t visible[query_block];
  int keys;  // the most that one of them sees

  template <class Visible>
  query_range(int begin, int rows, Visible& f)
      : first(begin), count(std::min(query_block, rows - begin)), columns((count + 15) / 16 * 16) {
    keys = 0;
    for (int i = 0; i < query_block; ++i) {
      visible[i] = static_cast<std::uint32_t>(std::max(0, static_cast<int>(f(begin + std::min(i, count - 1)))));
      keys = std::max(keys, static_cast<int>(visible[i]));
    }
  }
  /// Keys that all of the queries [i, i + n) see.
  int common(int i, int n) const {
    return static_cast<int>(*std::min_element(visible + i, visible + std::min(i + n, count)));
  }
};

/// The largest score of each query so far, the sum of its exponentials, and what earlier sums are multiplied by when a later block of
/// keys has a larger score. Scores are in units of log 2.
struct running_softmax {
  alignas(64) float largest[query_block], total[query_block], rescale[query_block];
};

/// The lanes whose query sees key j.
template <int N>
TRM_INLINE inline words<N> seen(int j, const words<N>& visible) {
  return {(typename words<N>::native)(words<N>::broadcast(static_cast<std::uint32_t>(j)).v < visible.v)};
}

}  // namespace trm::cpu::detail

#pragma GCC diagnostic pop
