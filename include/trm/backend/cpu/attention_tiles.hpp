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

#include "trm/backend/cpu/attention_blocks.hpp"
#include "trm/backend/cpu/tile_kernel.hpp"
#include "trm/backend/cpu/vector_math.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu {

namespace detail {

template <isa Level, class T>
struct attention_tiles {
  using kernel = tiles<Level>;
  // scores of bf16 rows need no rounding: the products are exact
  static constexpr bool pairs = std::is_same_v<T, bf16> && isa_level<Level>::bf16_products;
  static constexpr word_kind kind = pairs ? word_kind::pair : word_kind::single;
  static constexpr tile_operands operands = pairs ? tile_operands::pairs : tile_operands::floats;

  static std::uint32_t* as_words(float* p) { return reinterpret_cast<std::uint32_t*>(p); }
  static const std::uint32_t* as_words(const float* p) { return reinterpret_cast<const std::uint32_t*>(p); }

  /// Sequences that are one block of queries read float32 rows where they lie: a copy of them would be used once.
  static constexpr bool in_place(int rows, int head_dim) {
    return std::is_same_v<T, float> && rows <= query_block && head_dim % 16 == 0;
  }

  /// Rows for products with the tiles' rows: whole tiles of them where they lie, if `rows` is not null, the others as
  /// strips, each [steps of head_dim][width].
  struct row_strips {
    const float* strips;
    const float* rows;
    std::ptrdiff_t stride;
    int count;
  };
  static row_strips pack_rows(const T* x, std::ptrdiff_t stride, int count, int head_dim, bool lie, float* strips) {
    const float* rows = nullptr;
    if constexpr (std::is_same_v<T, float>) rows = lie ? x : nullptr;
    for (int i = lie ? count - count % kernel::rows : 0; i < count; i += kernel::rows) {
      const int width = kernel::strip_rows(count - i);
      pack_strip<Level, kind>(x + i * stride, stride, 1, std::min(width, count - i), std::min(width, count - i), width,
                              as_words(strips) + std::ptrdiff_t{i} * words_for(kind, head_dim), 0, head_dim);
    }
    return {strips, rows, stride, count};
  }
  /// The queries of a block as one strip [steps of head_dim][columns].
  static void pack_queries(const T* x, std::ptrdiff_t stride, const query_range& r, int head_dim, float* strip) {
    pack_strip<Level, kind>(x + r.first * stride, stride, 1, r.count, r.count, r.columns, as_words(strip), 0, head_dim);
  }
  /// Rows of float32, padded with zeros to whole vectors.
  struct float_matrix {
    const float* data;
    std::ptrdiff_t stride;
    float_matrix from(int row) const { return {data + row * stride, stride}; }
  };
  static float_matrix widen_rows(const T* x, std::ptrdiff_t stride, int count, int head_dim, bool lie, float* out) {
    if constexpr (std::is_same_v<T, float>) {
      if (lie) return {x, stride};
    }
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
    return {out, padded_head(head_dim)};
  }
  /// s[j - begin][i] = row j . query i, for keys j in [begin, end).
  static void scores(const row_strips& keys, const float* queries, const query_range& r, int begin, int end,
                     int head_dim, float* s) {
    const int steps = words_for(kind, head_dim);
    for (int c = 0; c < r.columns; c += kernel::columns) {
      for (int j = begin; j < end; j += kernel::rows) {
        const int rows = std::min(kernel::rows, end - j), width = kernel::strip_rows(keys.count - j);
        tile t{as_words(keys.strips) + std::ptrdiff_t{j} * steps,
               width,
               as_words(queries) + c,
               r.columns,
               steps,
               s + std::ptrdiff_t{j - begin} * query_block + c,
               query_block,
               rows,
               std::min(kernel::columns, r.columns - c),
               tile_start::replace};
        if (keys.rows != nullptr && rows == kernel::rows) {
          t.a = as_words(keys.rows + j * keys.stride);
          t.lda = keys.stride;
          kernel::template compute<tile_operands::float_rows>(t, kernel::rows);
        } else {
          kernel::template compute<operands>(t, width);
        }
      }
    }
  }

  /// out[i] (+)= sum_j weights[j][i] x[j] for the keys j in [begin, end) that query i sees, in their order; x begins
  /// with row `begin`.
  static void weigh(const float* weights, const float_matrix& x, const query_range& r, int begin, int end, int head_dim,
                    float* out, std::ptrdiff_t out_stride, tile_start start) {
    const int width = padded_head(head_dim);
    for (int i = 0; i < r.count; i += kernel::rows) {
      const int rows = std::min(kernel::rows, r.count - i);
      const int common = std::clamp(r.common(i, rows), begin, end);
      for (int c = 0; c < width; c += kernel::columns) {
        kernel::template compute<tile_operands::floats>(
            {as_words(weights) + i, query_block, as_words(x.data) + c, x.stride, common - begin,
             out + i * out_stride + c, out_stride, rows, std::min(kernel::columns, width - c), start},
            kernel::strip_rows(rows));
      }
      if (common == end) continue;
      with_isa<Level>([&](auto level) TRM_INLINE {
        constexpr int n = level.lanes;
        for (int row = i; row < i + rows; ++row) {  // keys that some of these queries do not see may hold anything
          const int last = std::min(static_cast<int>(r.visible[row]), end);
          float* o = out + row * out_stride;
          for (int c = 0; c < width && common < last; c += 16) {
            floats<n> sum[16 / n];
            TRM_UNROLL
            for (int l = 0; l < 16 / n; ++l) sum[l] = floats<n>::load(o + c + l * n);
            for (int j = common; j < last; ++j) {
              const auto w = floats<n>::broadcast(weights[std::ptrdiff_t{j - begin} * query_block + row]);
              TRM_UNROLL
              for (int l = 0; l < 16 / n; ++l) {
                sum[l] = multiply_add(w, floats<n>::load(x.data + (j - begin) * x.stride + c + l * n), sum[l]);
              }
            }
            TRM_UNROLL
            for (int l = 0; l < 16 / n; ++l) sum[l].store(o + c + l * n);
          }
        }
      });
    }
  }

  /// Scores of the keys [begin, end) to 2^(factor * s - largest).
  static void softmax(float* s, const query_range& r, int begin, int end, float factor_, running_softmax& m) {
    with_isa<Level>([&](auto level) TRM_INLINE {
      constexpr int n = level.lanes;
      using F = floats<n>;
      const F factor = F::broadcast(factor_), lowest = F::broadcast(-INFINITY);
      for (int c = 0; c < r.columns; c += n) {
        const auto visible = words<n>::load(r.visible + c);
        const int all = std::min(end, static_cast<int>(*std::min_element(r.visible + c, r.visible + c + n)));
        float* const place = s + c - std::ptrdiff_t{begin} * query_block;
        F most[4] = {lowest, lowest, lowest, lowest};
        int j = begin;
        for (; j + 4 <= all; j += 4) {
          TRM_UNROLL
          for (int l = 0; l < 4; ++l) most[l] = max(F::load(place + std::ptrdiff_t{j + l} * query_block), most[l]);
        }
        for (; j < end; ++j)
          most[0] = max(select(seen(j, visible), F::load(place + std::ptrdiff_t{j} * query_block), lowest), most[0]);
        const F old = begin == 0 ? lowest : F::load(m.largest + c);
        const F here = max(max(most[0], most[1]), max(most[2], most[3])) * factor;
        const F largest = max(here, old);
        const F base = select(less(lowest, largest), largest, select(less(largest, F::zero()), F::zero(), largest));
        F sum[4] = {F::zero(), F::zero(), F::zero(), F::zero()};
        for (j = begin; j + 4 <= all; j += 4) {  // key j is added to sum (j - begin) mod 4, whatever else is there
          TRM_UNROLL
          for (int l = 0; l < 4; ++l) {
            float* at = place + std::ptrdiff_t{j + l} * query_block;
            const F p = exp2(multiply_add(F::load(at), factor, F{-base.v}));
            p.store(at);
            sum[l] += p;
          }
        }
        for (; j < end; ++j) {
          float* at = place + std::ptrdiff_t{j} * query_block;
          const F p = select(seen(j, visible), exp2(multiply_add(F::load(at), factor, F{-base.v})), F::zero());
          p.store(at);
          const int l = (j - begin) % 4;
          if (l == 0) sum[0] += p;
          if (l == 1) sum[1] += p;
          if (l == 2) sum[2] += p;
          if (l == 3) sum[3] += p;
        }
        F total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        if (begin > 0) {
          const F rescale = exp2(old - base);
          rescale.store(m.rescale + c);
          total = multiply_add(F::load(m.total + c), rescale, total);
        }
        largest.store(m.largest + c);
        total.store(m.total + c);
      }
    });
  }

  /// Row i of x times factors[i].
  static void scale_rows(float* x, int count, int width, const float* factors) {
    with_isa<Level>([&](auto level) TRM_INLINE {
      constexpr int n = level.lanes;
      for (int i = 0; i < count; ++i) {
        const auto factor = floats<n>::broadcast(factors[i]);
        for (int c = 0; c < width; c += n) (floats<n>::load(x + i * width + c) * factor).store(x + i * width + c);
      }
    });
  }
  /// The sums of a block over their totals, and the logarithms of these.
  static void finish(const running_softmax& m, const float* sums, const query_range& r, int head_dim, T* o,
                     std::ptrdiff_t o_stride, float* lse, std::ptrdiff_t lse_stride) {
    with_isa<Level>([&](auto level) TRM_INLINE {
      constexpr int n = level.lanes;
      using F = floats<n>;
      const int width = padded_head(head_dim);
      alignas(64) float inverse[query_block], log_sum[query_block];
      for (int i = 0; i < r.columns; i += n) {
        const F total = F::load(m.total + i);
        select(less(F::zero(), total), F::broadcast(1.0f) / total, total).store(inverse + i);
        ((F::load(m.largest + i) + log2(total)) * F::broadcast(0.693147181f)).store(log_sum + i);
      }
      for (int i = 0; i < r.count; ++i) {
        const auto factor = F::broadcast(inverse[i]);
        const float* from = sums + std::ptrdiff_t{i} * width;
        T* to = o + i * o_stride;
        int c = 0;
        for (; c + n <= head_dim; c += n) store_floats(F::load(from + c) * factor, to + c);
        for (; c < head_dim; ++c) to[c] = T(from[c] * inverse[i]);
      }
      if (lse == nullptr) return;
      for (int i = 0; i < r.count; ++i) lse[i * lse_stride] = log_sum[i];
    });
  }

  template <class Visible>
  static void forward(const T* q, const T* k, const T* v, std::ptrdiff_t stride, int rows, int head_dim, float scale,
                      Visible visible, T* o, std::ptrdiff_t o_stride, float* lse, std::ptrdiff_t lse_stride,
                      void* workspace) {
    attention_memory memory{static_cast<float*>(workspace)};
    const attention_forward_arrays a(memory, rows, head_dim);
    const int keys = std::max(0, static_cast<int>(visible(rows - 1))), width = padded_head(head_dim);
    const bool lie = in_place(rows, head_dim);
    const row_strips k_rows = pack_rows(k, stride, keys, head_dim, lie, a.k);
    const float_matrix values = widen_rows(v, stride, keys, head_dim, lie, a.v);
    for (int first = 0; first < rows; first += query_block) {
      const query_range r(first, rows, visible);
      running_softmax m;
      pack_queries(q, stride, r, head_dim, a.q);
      int begin = 0;
      do {
        const int end = std::min(begin + key_block, r.keys);
        scores(k_rows, a.q, r, begin, end, head_dim, a.s);
        softmax(a.s, r, begin, end, scale * 1.44269504f, m);
        if (begin > 0) scale_rows(a.o, r.count, width, m.rescale);
        weigh(a.s, values.from(begin), r, begin, end, head_dim, a.o, width,
              begin == 0 ? tile_start::replace : tile_start::proceed);
        begin = end;
      } while (begin < r.keys);
      finish(m, a.o, r, head_dim, o + first * o_stride, o_stride, lse == nullptr ? nullptr : lse + first * lse_stride,
             lse_stride);
    }
  }

  /// Scores and d_o . v to the probabilities p and the gradient ds of the scores, both 0 where the query does not see
  /// the key. `lse` is in units of log 2.
  static void score_gradients(float* p, float* ds, const query_range& r, int begin, int end, float scale,
                              const float* lse, const float* delta) {
    with_isa<Level>([&](auto level) TRM_INLINE {
      constexpr int n = level.lanes;
      using F = floats<n>;
      const F factor = F::broadcast(scale), log_factor = F::broadcast(scale * 1.44269504f);
      for (int c = 0; c < r.columns; c += n) {
        const auto visible = words<n>::load(r.visible + c);
        const int all = std::min(end, static_cast<int>(*std::min_element(r.visible + c, r.visible + c + n)));
        const F log_sum = F::load(lse + c), mean = F::load(delta + c) * factor;
        const auto one = [&](int j, auto hidden) TRM_INLINE {
          float* p_place = p + std::ptrdiff_t{j - begin} * query_block + c;
          float* ds_place = ds + std::ptrdiff_t{j - begin} * query_block + c;
          F probability = exp2(multiply_add(F::load(p_place), log_factor, F{-log_sum.v}));
          F gradient = probability * multiply_add(F::load(ds_place), factor, F{-mean.v});
          if constexpr (hidden) {
            const auto mask = seen(j, visible);
            probability = select(mask, probability, F::zero());
            gradient = select(mask, gradient, F::zero());
          }
          probability.store(p_place);
          gradient.store(ds_place);
        };
        int j = begin;
        for (; j < all; ++j) one(j, std::false_type());
        for (; j < end; ++j) one(j, std::true_type());
      }
    });
  }

  /// out[j] (+)= sum_i weights[j][i] x[i] over the queries of the block, keys [begin, end); out [rows, head_dim] without
  /// padding.
  static void scatter(const float* weights, const float_matrix& x, const query_range& r, int begin, int end,
                      int head_dim, float* turned, float* out, tile_start start) {
    for (int j = begin; j < end; j += kernel::rows) {
      const int rows = std::min(kernel::rows, end - j), strip = kernel::strip_rows(rows);
      int from = 0;  // queries before it see none of these keys
      while (from < r.count && static_cast<int>(r.visible[from]) <= j) ++from;
      const float* rows_of = weights + std::ptrdiff_t{j - begin} * query_block;
      const bool whole = rows == kernel::rows;
      if (!whole)
        pack_strip<Level, word_kind::single>(rows_of, query_block, 1, rows, rows, strip, as_words(turned), 0, r.count);
      for (int c = 0; c < head_dim; c += kernel::columns) {
        tile t{as_words(rows_of + from),
               query_block,
               as_words(x.data + from * x.stride + c),
               x.stride,
               r.count - from,
               out + std::ptrdiff_t{j} * head_dim + c,
               head_dim,
               rows,
               std::min(kernel::columns, head_dim - c),
               start};
        if (whole) {
          kernel::template compute<tile_operands::float_rows>(t, kernel::rows);
        } else {
          t.a = as_words(turned) + from * strip;
          t.lda = strip;
          kernel::template compute<tile_operands::floats>(t, strip);
        }
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
    const bool lie = in_place(rows, head_dim), once = rows <= query_block;
    const int kept = once ? keys : 0;  // rows of dk and dv that need no zeros first
    const std::size_t bytes =
        sizeof(float) * static_cast<std::size_t>(rows - kept) * static_cast<std::size_t>(head_dim);
    std::memset(dk + std::ptrdiff_t{kept} * head_dim, 0, bytes);
    std::memset(dv + std::ptrdiff_t{kept} * head_dim, 0, bytes);
    const row_strips k_rows = pack_rows(k, stride, keys, head_dim, lie, a.k_strips);
    const row_strips v_rows = pack_rows(v, stride, keys, head_dim, lie, a.v_strips);
    const float_matrix k_matrix = widen_rows(k, stride, keys, head_dim, lie, a.k);
    for (int first = 0; first < rows; first += query_block) {
      const query_range r(first, rows, visible);
      pack_queries(q, stride, r, head_dim, a.q_strip);
      pack_queries(d_o, o_stride, r, head_dim, a.do_strip);
      const float_matrix queries = widen_rows(q + first * stride, stride, r.count, head_dim, lie, a.q);
      const float_matrix d_rows = widen_rows(d_o + first * o_stride, o_stride, r.count, head_dim, lie, a.d_o);
      alignas(64) float log_sum[query_block] = {}, delta[query_block] = {};
      for (int i = 0; i < r.count; ++i) log_sum[i] = lse[(first + i) * lse_stride] * 1.44269504f;
      dot_rows(d_rows, o + first * o_stride, o_stride, r.count, head_dim, delta);
      const bool direct = width == head_dim;
      float* const dq_rows = direct ? dq + std::ptrdiff_t{first} * head_dim : a.dq;
      if (r.keys == 0) std::fill_n(dq_rows, std::ptrdiff_t{r.count} * width, 0.0f);
      for (int begin = 0; begin < r.keys; begin += key_block) {
        const int end = std::min(begin + key_block, r.keys);
        scores(k_rows, a.q_strip, r, begin, end, head_dim, a.p);
        scores(v_rows, a.do_strip, r, begin, end, head_dim, a.ds);
        score_gradients(a.p, a.ds, r, begin, end, scale, log_sum, delta);
        weigh(a.ds, k_matrix.from(begin), r, begin, end, head_dim, dq_rows, width,
              begin == 0 ? tile_start::replace : tile_start::proceed);
        const tile_start start = once ? tile_start::replace : tile_start::add;
        scatter(a.ds, queries, r, begin, end, head_dim, a.turned, dk, start);
        scatter(a.p, d_rows, r, begin, end, head_dim, a.turned, dv, start);
      }
      for (int i = 0; i < r.count && !direct; ++i) {
        std::copy_n(a.dq + std::ptrdiff_t{i} * width, head_dim, dq + std::ptrdiff_t{first + i} * head_dim);
      }
    }
  }

 private:
  /// out[i] = row i of a . row i of b
  static void dot_rows(const float_matrix& a, const T* b, std::ptrdiff_t b_stride, int count, int head_dim,
                       float* out) {
    with_isa<Level>([&](auto level) TRM_INLINE {
      constexpr int n = level.lanes;
      for (int i = 0; i < count; ++i) {
        const float* x = a.data + i * a.stride;
        const T* y = b + i * b_stride;
        auto sum = floats<n>::zero();
        int c = 0;
        for (; c + n <= head_dim; c += n) sum = multiply_add(floats<n>::load(x + c), load_floats<n>(y + c), sum);
        float rest = 0;
        for (; c < head_dim; ++c) rest += x[c] * static_cast<float>(y[c]);
        out[i] = rest + sum_of(sum);
      }
    });
  }
};

}  // namespace detail

}  // namespace trm::cpu

#pragma GCC diagnostic pop
