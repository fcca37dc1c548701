// SPDX-License-Identifier: MIT
// Attention of float32 and its gradient by the processor's tiles, as sums of three bf16 (split_packing.hpp), for head_dim in whole tiles
// of 32.
//
// The scheme is that of attention_amx.hpp: scores with the keys as rows, products over keys that some queries do not see with weight 0,
// rows that are not finite zero there and their scores NaN for those who do see them. Nothing is rounded but sums.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "trm/backend/cpu/attention_amx.hpp"
#include "trm/backend/cpu/attention_tiles.hpp"
#include "trm/backend/cpu/split_packing.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu::detail {

#if defined(TRM_TARGET_AMX)

/// One operand in terms: steps of 32 elements of the reduction, of strips of 16 rows, or of columns side by side.
struct split_operand {
  static constexpr int step_words = split_terms * 256;  // of a strip

  /// Strips of n rows: element (i, r) is x[i * si + r * sr].
  TRM_TARGET_AVX512 static void rows(const float* x, std::ptrdiff_t si, std::ptrdiff_t sr, int n, int k,
                                     std::uint32_t* out) {
    for (int i = 0; i < n; i += 16) {
      for (int r = 0; r < k; r += amx::depth, out += step_words) {
        split_step<split_form::rows>(x + i * si + r * sr, si, sr, 16, amx::depth, out, 16, 256);
      }
    }
  }
  /// n columns, `width` in all: element (j, r) is x[j * sj + r * sr].
  TRM_TARGET_AVX512 static void columns(const float* x, std::ptrdiff_t sj, std::ptrdiff_t sr, int n, int k, int width,
                                        std::uint32_t* out) {
    for (int r = 0; r < k; r += amx::depth, out += split_terms * 16 * width) {
      for (int j = 0; j < n; j += 16) {
        split_step<split_form::columns>(x + j * sj + r * sr, sj, sr, 16, amx::depth, out + j, width, 16 * width);
      }
    }
  }
  /// As amx::multiply reads them: strips of k elements, from a row (a multiple of 16) and an element (of 32) on.
  static amx::operand left(const std::uint32_t* strips, int k, int row, int element) {
    const std::ptrdiff_t strip = std::ptrdiff_t{k / amx::depth} * step_words;
    return {strips + row / 16 * strip + element / amx::depth * step_words, 4 * strip, 4 * step_words, 64, 1024};
  }
  static amx::operand right(const std::uint32_t* panel, int width) {
    return {panel, 64, std::ptrdiff_t{4} * split_terms * 16 * width, std::ptrdiff_t{4} * width,
            std::ptrdiff_t{64} * width};
  }
};

#endif

struct split_forward_arrays {
  float *copy, *s, *o_turned, *flags;
  std::uint32_t *k, *v_turned, *q, *p;
  split_forward_arrays(amx_memory m, int rows, int d)
      : copy(m.floats(std::max(whole_steps(rows), query_block), d)),
        s(m.floats(amx_key_block, query_block)),
        o_turned(m.floats(d, query_block)),
        flags(m.floats(1, whole_steps(rows))),
        k(m.words(3 * whole_steps(rows) / 2, d)),
        v_turned(m.words(3 * whole_steps(rows) / 2, d)),
        q(m.words(3 * query_block / 2, d)),
        p(m.words(3 * amx_key_block / 2, query_block)) {}
};
struct split_backward_arrays {
  float *k_copy, *copy, *d_o_copy, *p, *ds, *dq_turned, *dk, *dv, *flags;
  std::uint32_t *k, *v, *k_turned, *q, *d_o, *q_pairs, *do_pairs, *p_rows, *ds_rows, *ds_pairs;
  split_backward_arrays(amx_memory m, int rows, int d)
      : k_copy(m.floats(whole_steps(rows), d)),
        copy(m.floats(std::max(whole_steps(rows), query_block), d)),
        d_o_copy(m.floats(query_block, d)),
        p(m.floats(amx_key_block, query_block)),
        ds(m.floats(amx_key_block, query_block)),
        dq_turned(m.floats(d, query_block)),
        dk(m.floats(whole_steps(rows), d)),
        dv(m.floats(whole_steps(rows), d)),
        flags(m.floats(1, whole_steps(rows))),
        k(m.words(3 * whole_steps(rows) / 2, d)),
        v(m.words(3 * whole_steps(rows) / 2, d)),
        k_turned(m.words(3 * whole_steps(rows) / 2, d)),
        q(m.words(3 * query_block / 2, d)),
        d_o(m.words(3 * query_block / 2, d)),
        q_pairs(m.words(3 * query_block / 2, d)),
        do_pairs(m.words(3 * query_block / 2, d)),
        p_rows(m.words(3 * amx_key_block / 2, query_block)),
        ds_rows(m.words(3 * amx_key_block / 2, query_block)),
        ds_pairs(m.words(3 * amx_key_block / 2, query_block)) {}
};

#if defined(TRM_TARGET_AMX)

struct split_attention : amx_attention {
  using tiles = attention_tiles<isa::avx512, float>;
  using terms = split_operand;

  /// Rows side by side, zeros behind them up to `padded` rows. Rows with elements that are not finite become zero and their flags NaN;
  /// were there such?
  static bool take_rows(const float* x, std::ptrdiff_t stride, int count, int padded, int d, float* out, float* flags) {
    bool marked = false;
    with_isa<isa::avx512>([&](auto) TRM_INLINE {
      for (int i = 0; i < count; ++i) {
        W bad = W::zero();
        for (int c = 0; c < d; c += 16) {
          const F v = F::load(x + i * stride + c);
          v.store(out + std::ptrdiff_t{i} * d + c);
          bad.v |= (W::native)((bits_as<std::uint32_t>(v).v & 0x7f800000u) == 0x7f800000u);
        }
        std::uint32_t any = 0;
        for (int l = 0; l < 16; ++l) any |= bad.v[l];
        if (any == 0) continue;
        std::fill_n(out + std::ptrdiff_t{i} * d, d, 0.0f);
        flags[i] = nan;
        marked = true;
      }
    });
    std::fill_n(out + std::ptrdiff_t{count} * d, std::ptrdiff_t{padded - count} * d, 0.0f);
    return marked;
  }
  /// Weights of keys that a block does not have, up to a whole step, and of queries behind the last one.
  static void clear_rest(float* weights, int keys, int columns) {
    const int stop = whole_steps(keys), whole = whole_steps(columns);
    for (int j = 0; j < keys; ++j)
      std::fill(weights + std::ptrdiff_t{j} * query_block + columns, weights + std::ptrdiff_t{j} * query_block + whole,
                0.0f);
    std::fill(weights + std::ptrdiff_t{keys} * query_block, weights + std::ptrdiff_t{stop} * query_block, 0.0f);
  }

  template <class Visible>
  static void forward(const float* q, const float* k, const float* v, std::ptrdiff_t stride, int rows, int d,
                      float scale, Visible visible, float* o, std::ptrdiff_t o_stride, float* lse,
                      std::ptrdiff_t lse_stride, void* workspace) {
    attention_memory memory{static_cast<float*>(workspace)};
    const split_forward_arrays a({memory}, rows, d);
    const amx::tile_scope scope;
    const int keys = std::max(0, static_cast<int>(visible(rows - 1))), padded = whole_steps(keys);
    std::fill_n(a.flags, padded, 0.0f);
    // Infinite and NaN scores of bad keys come about as in float32: from what is marked.
    bool marked = take_rows(k, stride, keys, padded, d, a.copy, a.flags);
    terms::rows(a.copy, d, 1, padded, d, a.k);
    marked = take_rows(v, stride, keys, padded, d, a.copy, a.flags) || marked;
    terms::rows(a.copy, 1, d, d, padded, a.v_turned);
    for (int first = 0; first < rows; first += query_block) {
      const query_range r(first, rows, visible);
      const int columns = r.columns / 16;
      running_softmax m;
      float q_flags[query_block] = {};
      const bool bad_q = take_rows(q + first * stride, stride, r.count, r.columns, d, a.copy, q_flags);
      terms::columns(a.copy, d, 1, r.columns, d, query_block, a.q);
      int begin = 0;
      do {
        const int end = std::min(begin + amx_key_block, r.keys), count = end - begin;
        product<split_terms>(terms::left(a.k, d, begin, 0), (count + 15) / 16, terms::right(a.q, query_block), columns,
                             d / amx::depth, a.s, query_block, false);
        if (marked) mark_scores(a.s, a.flags, begin, end);
        for (int i = 0; bad_q && i < r.count; ++i) {
          for (int j = 0; q_flags[i] != 0 && j < count; ++j) a.s[std::ptrdiff_t{j} * query_block + i] = nan;
        }
        tiles::softmax(a.s, r, begin, end, scale * 1.44269504f, m);
        clear_rest(a.s, count, r.columns);
        terms::columns(a.s, 1, query_block, r.columns, whole_steps(count), query_block, a.p);
        if (begin > 0) scale_columns(a.o_turned, d, r.columns, m.rescale);
        product<split_terms>(terms::left(a.v_turned, padded, 0, begin), d / 16, terms::right(a.p, query_block), columns,
                             whole_steps(count) / amx::depth, a.o_turned, query_block, begin > 0);
        begin = end;
      } while (begin < r.keys);
      finish_queries(a.o_turned, m, r, d, lse, lse_stride,
                     [&](int row, int c, const F& x) TRM_INLINE { x.store(o + row * o_stride + c); });
    }
  }

  template <class Visible>
  static void backward(const float* q, const float* k, const float* v, std::ptrdiff_t stride, int rows, int d,
                       float scale, Visible visible, const float* o, const float* d_o, std::ptrdiff_t o_stride,
                       const float* lse, std::ptrdiff_t lse_stride, float* dq, float* dk, float* dv, void* workspace) {
    attention_memory memory{static_cast<float*>(workspace)};
    const split_backward_arrays a({memory}, rows, d);
    const amx::tile_scope scope;
    const int keys = std::max(0, static_cast<int>(visible(rows - 1))), padded = whole_steps(keys);
    const key_gradient dk_sum(dk, a.dk, rows, keys, d), dv_sum(dv, a.dv, rows, keys, d);
    std::fill_n(a.flags, padded, 0.0f);
    bool marked = take_rows(k, stride, keys, padded, d, a.k_copy, a.flags);
    marked = take_rows(v, stride, keys, padded, d, a.copy, a.flags) || marked;
    terms::rows(a.k_copy, d, 1, padded, d, a.k);
    terms::rows(a.k_copy, 1, d, d, padded, a.k_turned);
    terms::rows(a.copy, d, 1, padded, d, a.v);
    for (int first = 0; first < rows; first += query_block) {
      const query_range r(first, rows, visible);
      const int columns = r.columns / 16, whole = whole_steps(r.count);
      alignas(64) float log_sum[query_block] = {}, delta[query_block] = {};
      for (int i = 0; i < r.count; ++i) log_sum[i] = lse[(first + i) * lse_stride] * 1.44269504f;
      with_isa<isa::avx512>([&](auto) TRM_INLINE {
        for (int i = 0; i < r.count; ++i) {
          F sum = F::zero();
          for (int c = 0; c < d; c += 16) {
            sum = multiply_add(F::load(d_o + (first + i) * o_stride + c), F::load(o + (first + i) * o_stride + c), sum);
          }
          delta[i] = sum_of(sum);
        }
      });
      take_rows(q + first * stride, stride, r.count, whole, d, a.copy, log_sum);
      take_rows(d_o + first * o_stride, o_stride, r.count, whole, d, a.d_o_copy, log_sum);
      terms::columns(a.copy, d, 1, r.columns, d, query_block, a.q);
      terms::columns(a.d_o_copy, d, 1, r.columns, d, query_block, a.d_o);
      terms::columns(a.copy, 1, d, d, whole, d, a.q_pairs);
      terms::columns(a.d_o_copy, 1, d, d, whole, d, a.do_pairs);
      int begin = 0;
      do {
        const int end = std::min(begin + amx_key_block, r.keys), count = end - begin, strips = (count + 15) / 16;
        const std::ptrdiff_t at = std::ptrdiff_t{begin} * d;
        product<split_terms>(terms::left(a.k, d, begin, 0), strips, terms::right(a.q, query_block), columns,
                             d / amx::depth, a.p, query_block, false);
        product<split_terms>(terms::left(a.v, d, begin, 0), strips, terms::right(a.d_o, query_block), columns,
                             d / amx::depth, a.ds, query_block, false);
        if (marked) mark_scores(a.p, a.flags, begin, end);
        tiles::score_gradients(a.p, a.ds, r, begin, end, scale, log_sum, delta);
        clear_rest(a.p, count, r.columns);
        clear_rest(a.ds, count, r.columns);
        terms::rows(a.p, query_block, 1, 16 * strips, whole, a.p_rows);
        terms::rows(a.ds, query_block, 1, 16 * strips, whole, a.ds_rows);
        terms::columns(a.ds, 1, query_block, r.columns, whole_steps(count), query_block, a.ds_pairs);
        product<split_terms>(terms::left(a.p_rows, whole, 0, 0), strips, terms::right(a.do_pairs, d), d / 16,
                             whole / amx::depth, dv_sum.sums + at, d, true);
        product<split_terms>(terms::left(a.ds_rows, whole, 0, 0), strips, terms::right(a.q_pairs, d), d / 16,
                             whole / amx::depth, dk_sum.sums + at, d, true);
        product<split_terms>(terms::left(a.k_turned, padded, 0, begin), d / 16, terms::right(a.ds_pairs, query_block),
                             columns, whole_steps(count) / amx::depth, a.dq_turned, query_block, begin > 0);
        begin = end;
      } while (begin < r.keys);
      write_queries(a.dq_turned, r, d, dq);
    }
    dk_sum.finish();
    dv_sum.finish();
  }
};

#endif

}  // namespace trm::cpu::detail

#pragma GCC diagnostic pop
