// SPDX-License-Identifier: MIT
// The tiles of attention and of its gradient for one instruction set.
//
// Queries are taken in blocks, and the scores of a block stand with the keys as rows, s[key][query]: so the softmax is
// element-wise in vectors of queries, and the scores are a packed operand of the product with v as they are. A query's
// sums run over its keys in their order, so they depend neither on the other queries nor on how many rows there are.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "trm/backend/cpu/tile_kernel.hpp"
#include "trm/backend/cpu/vector_math.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu {

namespace detail {

inline constexpr int query_block = 64;
inline constexpr int key_block = 168;  // of the gradient; a multiple of the rows of every tile

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
        s(m.take(std::ptrdiff_t{rows} * query_block)),
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
        p(m.take(std::ptrdiff_t{key_block} * query_block)),
        ds(m.take(std::ptrdiff_t{key_block} * query_block)),
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

template <isa Level, class T>
struct attention_tiles {
  using kernel = tiles<Level>;
  // scores of bf16 rows need no rounding: the products are exact
  static constexpr bool pairs = std::is_same_v<T, bf16> && isa_level<Level>::bf16_products;
  static constexpr word_kind kind = pairs ? word_kind::pair : word_kind::single;
  static constexpr tile_operands operands = pairs ? tile_operands::pairs : tile_operands::floats;

  static std::uint32_t* as_words(float* p) { return reinterpret_cast<std::uint32_t*>(p); }
  static const std::uint32_t* as_words(const float* p) { return reinterpret_cast<const std::uint32_t*>(p); }

  /// Rows [0, count) as strips of the tiles' rows, each [steps of head_dim][width].
  static void pack_rows(const T* x, std::ptrdiff_t stride, int count, int head_dim, float* strips) {
    for (int i = 0; i < count; i += kernel::rows) {
      const int width = kernel::strip_rows(count - i);
      pack_strip<Level, kind>(x + i * stride, stride, 1, std::min(width, count - i), std::min(width, count - i), width,
                              as_words(strips) + std::ptrdiff_t{i} * words_for(kind, head_dim), 0, head_dim);
    }
  }
  /// The queries of a block as one strip [steps of head_dim][columns].
  static void pack_queries(const T* x, std::ptrdiff_t stride, const query_range& r, int head_dim, float* strip) {
    pack_strip<Level, kind>(x + r.first * stride, stride, 1, r.count, r.count, r.columns, as_words(strip), 0, head_dim);
  }
  /// Rows as float32 [count][padded head_dim].
  static void widen_rows(const T* x, std::ptrdiff_t stride, int count, int head_dim, float* out) {
    with_isa<Level>([&](auto level) TRM_INLINE {
      constexpr int n = level.lanes;
      const int width = padded_head(head_dim);
      for (int i = 0; i < count; ++i) {
        const T* from = x + i * stride;
        float* to = out + std::ptrdiff_t{i} * width;
        int c = 0;
        for (; c + n <= head_dim; c += n) load_floats<n>(from + c).store(to + c);
        for (; c < head_dim; ++c) to[c] = static_cast<float>(from[c]);
        for (; c < width; ++c) to[c] = 0;
      }
    });
  }
  /// s[j - begin][i] = row j of the strips . query i, for keys j in [begin, end) of `packed`.
  static void scores(const float* strips, int packed, const float* queries, const query_range& r, int begin, int end,
                     int head_dim, float* s) {
    const int steps = words_for(kind, head_dim);
    for (int c = 0; c < r.columns; c += kernel::columns) {
      for (int j = begin; j < end; j += kernel::rows) {
        const int rows = std::min(kernel::rows, end - j), width = kernel::strip_rows(packed - j);
        kernel::template compute<operands>(
            {as_words(strips) + std::ptrdiff_t{j} * steps, width, as_words(queries) + c, r.columns, steps,
             s + std::ptrdiff_t{j - begin} * query_block + c, query_block, rows,
             std::min(kernel::columns, r.columns - c), tile_start::replace},
            width);
      }
    }
  }

  /// out[i] += sum_j weights[j][i] x[j] for the keys j in [begin, end) that query i sees, in their order.
  static void weigh(const float* weights, const float* x, const query_range& r, int begin, int end, int head_dim,
                    float* out, tile_start start) {
    const int width = padded_head(head_dim);
    for (int i = 0; i < r.count; i += kernel::rows) {
      const int rows = std::min(kernel::rows, r.count - i);
      const int common = std::clamp(r.common(i, rows), begin, end);
      for (int c = 0; c < width; c += kernel::columns) {
        kernel::template compute<tile_operands::floats>(
            {as_words(weights) + i, query_block, as_words(x) + c, width, common - begin,
             out + std::ptrdiff_t{i} * width + c, width, rows, std::min(kernel::columns, width - c), start},
            kernel::strip_rows(rows));
      }
      with_isa<Level>([&](auto level) TRM_INLINE {
        constexpr int n = level.lanes;
        for (int row = i; row < i + rows; ++row) {  // keys that some of these queries do not see may hold anything
          const int last = std::min(static_cast<int>(r.visible[row]), end);
          float* o = out + std::ptrdiff_t{row} * width;
          for (int c = 0; c < width && common < last; c += 16) {
            floats<n> sum[16 / n];
            TRM_UNROLL
            for (int l = 0; l < 16 / n; ++l) sum[l] = floats<n>::load(o + c + l * n);
            for (int j = common; j < last; ++j) {
              const auto w = floats<n>::broadcast(weights[std::ptrdiff_t{j - begin} * query_block + row]);
              TRM_UNROLL
              for (int l = 0; l < 16 / n; ++l) {
                sum[l] = multiply_add(w, floats<n>::load(x + std::ptrdiff_t{j - begin} * width + c + l * n), sum[l]);
              }
            }
            TRM_UNROLL
            for (int l = 0; l < 16 / n; ++l) sum[l].store(o + c + l * n);
          }
        }
      });
    }
  }

  /// Scores to exp(scale * s - largest); leaves the largest scaled score and the sum of each query.
  static void softmax(float* s, const query_range& r, float scale, float* largest, float* total) {
    with_isa<Level>([&](auto level) TRM_INLINE {
      constexpr int n = level.lanes;
      using F = floats<n>;
      const F factor = F::broadcast(scale), lowest = F::broadcast(-INFINITY);
      for (int c = 0; c < r.columns; c += n) {
        const auto visible = words<n>::load(r.visible + c);
        const int all = static_cast<int>(*std::min_element(r.visible + c, r.visible + c + n));
        F most[4] = {lowest, lowest, lowest, lowest};
        int j = 0;
        for (; j + 4 <= all; j += 4) {
          TRM_UNROLL
          for (int l = 0; l < 4; ++l)
            most[l] = max(F::load(s + std::ptrdiff_t{j + l} * query_block + c) * factor, most[l]);
        }
        for (; j < r.keys; ++j) {
          const F x = F::load(s + std::ptrdiff_t{j} * query_block + c) * factor;
          most[0] = max(select(seen(j, visible), x, lowest), most[0]);
        }
        const F m = max(max(most[0], most[1]), max(most[2], most[3]));
        F sum[4] = {F::zero(), F::zero(), F::zero(), F::zero()};
        for (j = 0; j < r.keys; j += 4) {  // key j is added to sum j mod 4, whatever else is there
          TRM_UNROLL
          for (int l = 0; l < 4; ++l) {
            if (j + l >= r.keys) break;
            float* place = s + std::ptrdiff_t{j + l} * query_block + c;
            F p = exp(multiply_add(F::load(place), factor, F{-m.v}));
            if (j + l >= all) p = select(seen(j + l, visible), p, F::zero());
            p.store(place);
            sum[l] += p;
          }
        }
        m.store(largest + c);
        ((sum[0] + sum[1]) + (sum[2] + sum[3])).store(total + c);
      }
    });
  }

  template <class Visible>
  static void forward(const T* q, const T* k, const T* v, std::ptrdiff_t stride, int rows, int head_dim, float scale,
                      Visible visible, T* o, std::ptrdiff_t o_stride, float* lse, std::ptrdiff_t lse_stride,
                      void* workspace) {
    attention_memory memory{static_cast<float*>(workspace)};
    const attention_forward_arrays a(memory, rows, head_dim);
    const int keys = std::max(0, static_cast<int>(visible(rows - 1))), width = padded_head(head_dim);
    pack_rows(k, stride, keys, head_dim, a.k);
    widen_rows(v, stride, keys, head_dim, a.v);
    for (int begin = 0; begin < rows; begin += query_block) {
      const query_range r(begin, rows, visible);
      alignas(64) float largest[query_block], total[query_block];
      pack_queries(q, stride, r, head_dim, a.q);
      scores(a.k, keys, a.q, r, 0, r.keys, head_dim, a.s);
      softmax(a.s, r, scale, largest, total);
      weigh(a.s, a.v, r, 0, r.keys, head_dim, a.o, tile_start::replace);
      with_isa<Level>([&](auto level) TRM_INLINE {
        constexpr int n = level.lanes;
        for (int i = 0; i < r.count; ++i) {
          const float inverse = total[i] == 0.0f ? 0.0f : 1.0f / total[i];
          const auto factor = floats<n>::broadcast(inverse);
          const float* from = a.o + std::ptrdiff_t{i} * width;
          T* to = o + (begin + i) * o_stride;
          int c = 0;
          for (; c + n <= head_dim; c += n) store_floats(floats<n>::load(from + c) * factor, to + c);
          for (; c < head_dim; ++c) to[c] = T(from[c] * inverse);
        }
      });
      if (lse != nullptr) {
        for (int i = 0; i < r.count; ++i) lse[(begin + i) * lse_stride] = largest[i] + std::log(total[i]);
      }
    }
  }

  /// Scores and d_o . v to the probabilities p and the gradient ds of the scores, both 0 where the query does not see
  /// the key.
  static void score_gradients(float* p, float* ds, const query_range& r, int begin, int end, float scale,
                              const float* lse, const float* delta) {
    with_isa<Level>([&](auto level) TRM_INLINE {
      constexpr int n = level.lanes;
      using F = floats<n>;
      const F factor = F::broadcast(scale);
      for (int c = 0; c < r.columns; c += n) {
        const auto visible = words<n>::load(r.visible + c);
        const int all = static_cast<int>(*std::min_element(r.visible + c, r.visible + c + n));
        const F log_sum = F::load(lse + c), mean = F::load(delta + c);
        for (int j = begin; j < end; ++j) {
          float* p_place = p + std::ptrdiff_t{j - begin} * query_block + c;
          float* ds_place = ds + std::ptrdiff_t{j - begin} * query_block + c;
          F probability = exp(multiply_add(F::load(p_place), factor, F{-log_sum.v}));
          F gradient = probability * factor * (F::load(ds_place) - mean);
          if (j >= all) {
            const auto mask = seen(j, visible);
            probability = select(mask, probability, F::zero());
            gradient = select(mask, gradient, F::zero());
          }
          probability.store(p_place);
          gradient.store(ds_place);
        }
      }
    });
  }

  /// out[j] += sum_i weights[j][i] x[i] over the queries of the block, keys [begin, end); out [rows, head_dim] without
  /// padding.
  static void scatter(const float* weights, const float* x, const query_range& r, int begin, int end, int head_dim,
                      float* turned, float* out) {
    const int width = padded_head(head_dim);
    for (int j = begin; j < end; j += kernel::rows) {
      const int rows = std::min(kernel::rows, end - j), strip = kernel::strip_rows(rows);
      int from = 0;  // queries before it see none of these keys
      while (from < r.count && static_cast<int>(r.visible[from]) <= j) ++from;
      pack_strip<Level, word_kind::single>(weights + std::ptrdiff_t{j - begin} * query_block, query_block, 1, rows,
                                           rows, strip, as_words(turned), 0, r.count);
      for (int c = 0; c < head_dim; c += kernel::columns) {
        kernel::template compute<tile_operands::floats>(
            {as_words(turned) + from * strip, strip, as_words(x) + from * width + c, width, r.count - from,
             out + std::ptrdiff_t{j} * head_dim + c, head_dim, rows, std::min(kernel::columns, head_dim - c),
             tile_start::add},
            strip);
      }
    }
  }

  template <class Visible>
  static void backward(const T* q, const T* k, const T* v, std::ptrdiff_t stride, int rows, int head_dim, float scale,
                       Visible visible, const T* o, const T* d_o, std::ptrdiff_t o_stride, const float* lse,
                       std::ptrdiff_t lse_stride, float* dq, float* dk, float* dv, void* workspace) {
    attention_memory memory{static_cast<float*>(workspace)};
    const attention_backward_arrays a(memory, rows, head_dim);
    const int keys = std::max(0, static_cast<int>(visible(rows - 1))), width = padded_head(head_dim);
    const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(rows) * static_cast<std::size_t>(head_dim);
    std::memset(dk, 0, bytes);
    std::memset(dv, 0, bytes);
    pack_rows(k, stride, keys, head_dim, a.k_strips);
    pack_rows(v, stride, keys, head_dim, a.v_strips);
    widen_rows(k, stride, keys, head_dim, a.k);
    for (int first = 0; first < rows; first += query_block) {
      const query_range r(first, rows, visible);
      pack_queries(q, stride, r, head_dim, a.q_strip);
      pack_queries(d_o, o_stride, r, head_dim, a.do_strip);
      widen_rows(q + first * stride, stride, r.count, head_dim, a.q);
      widen_rows(d_o + first * o_stride, o_stride, r.count, head_dim, a.d_o);
      alignas(64) float log_sum[query_block] = {}, delta[query_block] = {};
      for (int i = 0; i < r.count; ++i) {
        log_sum[i] = lse[(first + i) * lse_stride];
        delta[i] = dot(a.d_o + std::ptrdiff_t{i} * width, o + (first + i) * o_stride, head_dim);
      }
      std::fill_n(a.dq, std::ptrdiff_t{r.count} * width, 0.0f);
      for (int begin = 0; begin < r.keys; begin += key_block) {
        const int end = std::min(begin + key_block, r.keys);
        scores(a.k_strips, keys, a.q_strip, r, begin, end, head_dim, a.p);
        scores(a.v_strips, keys, a.do_strip, r, begin, end, head_dim, a.ds);
        score_gradients(a.p, a.ds, r, begin, end, scale, log_sum, delta);
        weigh(a.ds, a.k + std::ptrdiff_t{begin} * width, r, begin, end, head_dim, a.dq, tile_start::proceed);
        scatter(a.ds, a.q, r, begin, end, head_dim, a.turned, dk);
        scatter(a.p, a.d_o, r, begin, end, head_dim, a.turned, dv);
      }
      for (int i = 0; i < r.count; ++i) {
        std::copy_n(a.dq + std::ptrdiff_t{i} * width, head_dim, dq + std::ptrdiff_t{first + i} * head_dim);
      }
    }
  }

 private:
  /// The lanes whose query sees key j.
  template <int N>
  TRM_INLINE static inline words<N> seen(int j, const words<N>& visible) {
    return {(typename words<N>::native)(words<N>::broadcast(static_cast<std::uint32_t>(j)).v < visible.v)};
  }

  static float dot(const float* a, const T* b, int count) {
    float result = 0;
    with_isa<Level>([&](auto level) TRM_INLINE {
      constexpr int n = level.lanes;
      auto sum = floats<n>::zero();
      int c = 0;
      for (; c + n <= count; c += n) sum = multiply_add(floats<n>::load(a + c), load_floats<n>(b + c), sum);
      float part[n];
      sum.store(part);
      for (; c < count; ++c) part[0] += a[c] * static_cast<float>(b[c]);
      for (int l = 0; l < n; ++l) result += part[l];
    });
    return result;
  }
};

}  // namespace detail

}  // namespace trm::cpu

#pragma GCC diagnostic pop
