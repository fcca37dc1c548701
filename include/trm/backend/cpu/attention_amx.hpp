// SPDX-License-Identifier: MIT
// Attention of bf16 and its gradient by the processor's tiles (amx.hpp), for head_dim in whole tiles of 32.
//
// As in attention_tiles.hpp queries are taken in blocks and scores stand with the keys as rows, s[key][query], so the
// softmax is element-wise in vectors of queries. Probabilities and gradients of scores are rounded to bf16 before they
// are multiplied, as fused kernels do; sums are float32. Products run over keys that some queries do not see, with
// weight 0: rows that are not finite are zero there, and their scores NaN for those who do see them.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "trm/backend/cpu/attention_amx_rows.hpp"
#include "trm/backend/cpu/attention_blocks.hpp"
#include "trm/backend/cpu/vector_math.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu::detail {

inline constexpr int amx_key_block = 128;
constexpr int whole_steps(int n) { return (n + amx::depth - 1) / amx::depth * amx::depth; }

/// Arrays of bf16, pairs of them and float32 in one workspace.
struct amx_memory {
  attention_memory& memory;
  constexpr float* floats(int rows, int columns) { return memory.take(std::ptrdiff_t{rows} * columns); }
  bf16* halves(int rows, int columns) {
    return reinterpret_cast<bf16*>(memory.take(std::ptrdiff_t{rows} * columns / 2));
  }
  std::uint32_t* words(int rows, int columns) {
    return reinterpret_cast<std::uint32_t*>(memory.take(std::ptrdiff_t{rows} * columns));
  }
};
struct amx_forward_arrays {
  bf16 *k, *v, *v_turned, *q;
  std::uint32_t *q_words, *p_pairs;
  float *s, *o_turned, *flags;
  amx_forward_arrays(amx_memory m, int rows, int d)
      : k(m.halves(whole_steps(rows), d)),
        v(m.halves(whole_steps(rows), d)),
        v_turned(m.halves(d, whole_steps(rows))),
        q(m.halves(query_block, d)),
        q_words(m.words(d / 2, query_block)),
        p_pairs(m.words(amx_key_block / 2, query_block)),
        s(m.floats(amx_key_block, query_block)),
        o_turned(m.floats(d, query_block)),
        flags(m.floats(1, whole_steps(rows))) {}
};
struct amx_backward_arrays {
  bf16 *k, *v, *k_turned, *q, *d_o, *p_rows, *ds_rows;
  std::uint32_t *q_words, *do_words, *q_pairs, *do_pairs, *ds_pairs;
  float *p, *ds, *dq_turned, *dk, *dv, *flags;
  amx_backward_arrays(amx_memory m, int rows, int d)
      : k(m.halves(whole_steps(rows), d)),
        v(m.halves(whole_steps(rows), d)),
        k_turned(m.halves(d, whole_steps(rows))),
        q(m.halves(query_block, d)),
        d_o(m.halves(query_block, d)),
        p_rows(m.halves(amx_key_block, query_block)),
        ds_rows(m.halves(amx_key_block, query_block)),
        q_words(m.words(d / 2, query_block)),
        do_words(m.words(d / 2, query_block)),
        q_pairs(m.words(query_block / 2, d)),
        do_pairs(m.words(query_block / 2, d)),
        ds_pairs(m.words(amx_key_block / 2, query_block)),
        p(m.floats(amx_key_block, query_block)),
        ds(m.floats(amx_key_block, query_block)),
        dq_turned(m.floats(d, query_block)),
        dk(m.floats(whole_steps(rows), d)),
        dv(m.floats(whole_steps(rows), d)),
        flags(m.floats(1, whole_steps(rows))) {}
};

#if defined(TRM_TARGET_AMX)

struct amx_attention : amx_rows {
  /// c (+)= a b with `rows` x `columns` tiles and `steps` of the reduction.
  template <int Terms = 1>
  static void product(const amx::operand& a, int rows, const amx::operand& b, int columns, int steps, float* c,
                      std::ptrdiff_t ldc, bool proceed) {
    const auto from = [](const amx::operand& x, int i) {
      return amx::operand{x.tile(i, 0), x.next, x.step, x.row, x.term};
    };
    for (int j = 0; j < columns; j += 2) {
      for (int i = 0; i < rows; i += 2) {
        float* to = c + 16 * i * ldc + 16 * j;
        const bool two_rows = i + 1 < rows, two_columns = j + 1 < columns;
        const amx::operand x = from(a, i), y = from(b, j);
        if (two_rows && two_columns) {
          amx::multiply<Terms, 2, 2>(x, y, steps, to, ldc, proceed);
        } else if (two_rows) {
          amx::multiply<Terms, 2, 1>(x, y, steps, to, ldc, proceed);
        } else if (two_columns) {
          amx::multiply<Terms, 1, 2>(x, y, steps, to, ldc, proceed);
        } else {
          amx::multiply<Terms, 1, 1>(x, y, steps, to, ldc, proceed);
        }
      }
    }
  }
  /// Rows of bf16, `ld` elements apart, as the left operand; words, `ld` apart, as the right one.
  static amx::operand left(const bf16* x, std::ptrdiff_t ld) { return {x, 32 * ld, 64, 2 * ld}; }
  static amx::operand right(const std::uint32_t* x, std::ptrdiff_t ld) { return {x, 64, 64 * ld, 4 * ld}; }

  /// As attention_tiles::softmax, with the exponentials as pairs of keys, zeros up to a whole step.
  static void softmax(const float* s, std::uint32_t* pairs, const query_range& r, int begin, int end, float factor_,
                      running_softmax& m) {
    with_isa<isa::avx512_bf16>([&](auto) TRM_INLINE {
      const F factor = F::broadcast(factor_), lowest = F::broadcast(-INFINITY);
      const int stop = begin + whole_steps(end - begin);
      for (int c = 0; c < r.columns; c += 16) {
        const W visible = W::load(r.visible + c);
        const int all = std::min(end, static_cast<int>(*std::min_element(r.visible + c, r.visible + c + 16)));
        const float* const place = s + c - std::ptrdiff_t{begin} * query_block;
        std::uint32_t* const out = pairs + c - std::ptrdiff_t{begin / 2} * query_block;
        const auto score = [&](int j) TRM_INLINE { return F::load(place + std::ptrdiff_t{j} * query_block); };
        F most[4] = {lowest, lowest, lowest, lowest};
        int j = begin;
        for (; j + 4 <= all; j += 4) {
          TRM_UNROLL
          for (int l = 0; l < 4; ++l) most[l] = max(score(j + l), most[l]);
        }
        for (; j < end; ++j) most[0] = max(select(seen(j, visible), score(j), lowest), most[0]);
        const F old = begin == 0 ? lowest : F::load(m.largest + c);
        const F here = max(max(most[0], most[1]), max(most[2], most[3])) * factor, largest = max(here, old);
        const F base = select(less(lowest, largest), largest, select(less(largest, F::zero()), F::zero(), largest));
        F sum[4] = {F::zero(), F::zero(), F::zero(), F::zero()};
        const auto power = [&](int k) TRM_INLINE { return exp2(multiply_add(score(k), factor, F{-base.v})); };
        for (j = begin; j + 4 <= all; j += 4) {
          TRM_UNROLL
          for (int l = 0; l < 4; l += 2) {
            const F a = power(j + l), b = power(j + l + 1);
            sum[l] += a, sum[l + 1] += b;
            store_pairs(narrow(a, b), out + std::ptrdiff_t{(j + l) / 2} * query_block);
          }
        }
        for (; j < stop; j += 2) {
          const F a = select(seen(j, visible), power(j), F::zero());
          const F b = select(seen(j + 1, visible), power(j + 1), F::zero());
          if ((j - begin) % 4 == 0) {
            sum[0] += a, sum[1] += b;
          } else {
            sum[2] += a, sum[3] += b;
          }
          store_pairs(narrow(a, b), out + std::ptrdiff_t{j / 2} * query_block);
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
  /// x[c][i] *= factors[i]
  static void scale_columns(float* x, int d, int columns, const float* factors) {
    with_isa<isa::avx512>([&](auto) TRM_INLINE {
      for (int c = 0; c < d; ++c) {
        for (int i = 0; i < columns; i += 16) {
          float* place = x + std::ptrdiff_t{c} * query_block + i;
          (F::load(place) * F::load(factors + i)).store(place);
        }
      }
    });
  }
  /// f(i, c, v): the channels [c, c + 16) of query i, from x[c][i].
  template <class G>
  TRM_INLINE static inline void each_query(const float* x, const F& factor, int first, int count, int d, G f) {
    for (int c = 0; c < d; c += 16) {
      W m[16];
      TRM_UNROLL
      for (int l = 0; l < 16; ++l)
        m[l] = bits_as<std::uint32_t>(F::load(x + std::ptrdiff_t{c + l} * query_block + first) * factor);
      transpose(m);
      TRM_UNROLL
      for (int l = 0; l < 16; ++l) {
        if (first + l < count) f(first + l, c, bits_as<float>(m[l]));
      }
    }
  }

  /// f(row, c, v): the channels [c, c + 16) of a block's results, the sums x[c][i] over their totals; and the logarithms of these, if
  /// `lse` is not null.
  template <class G>
  static void finish_queries(const float* x, const running_softmax& m, const query_range& r, int d, float* lse,
                             std::ptrdiff_t lse_stride, G f) {
    with_isa<isa::avx512_bf16>([&](auto) TRM_INLINE {
      alignas(64) float log_sum[query_block];
      for (int i = 0; i < r.columns; i += 16) {
        const F total = F::load(m.total + i);
        ((F::load(m.largest + i) + log2(total)) * F::broadcast(0.693147181f)).store(log_sum + i);
        const F inverse = select(less(F::zero(), total), F::broadcast(1.0f) / total, total);
        each_query(x, inverse, i, r.count, d, [&](int row, int c, const F& v) TRM_INLINE { f(r.first + row, c, v); });
      }
      for (int i = 0; i < r.count && lse != nullptr; ++i) lse[(r.first + i) * lse_stride] = log_sum[i];
    });
  }
  /// out[first + i][c] = x[c][i]
  static void write_queries(const float* x, const query_range& r, int d, float* out) {
    with_isa<isa::avx512>([&](auto) TRM_INLINE {
      for (int i = 0; i < r.columns; i += 16) {
        each_query(x, F::broadcast(1.0f), i, r.count, d, [&](int row, int c, const F& v) TRM_INLINE {
          v.store(out + std::ptrdiff_t{r.first + row} * d + c);
        });
      }
    });
  }
  /// The gradient of all keys (or values) of a head, zero at first: in its place, or beside it where whole tiles of rows do not fit there.
  struct key_gradient {
    float *out, *sums;
    std::ptrdiff_t count;
    key_gradient(float* place, float* beside, int rows, int keys, int d)
        : out(place), sums((keys + 15) / 16 * 16 <= rows ? place : beside), count(std::ptrdiff_t{keys} * d) {
      std::fill_n(out, std::ptrdiff_t{rows} * d, 0.0f);
      if (sums != out) std::fill_n(sums, std::ptrdiff_t{whole_steps(keys)} * d, 0.0f);
    }
    void finish() const {
      if (sums != out) std::copy_n(sums, count, out);
    }
  };

  template <class Visible>
  static void forward(const bf16* q, const bf16* k, const bf16* v, std::ptrdiff_t stride, int rows, int d, float scale,
                      Visible visible, bf16* o, std::ptrdiff_t o_stride, float* lse, std::ptrdiff_t lse_stride,
                      void* workspace) {
    attention_memory memory{static_cast<float*>(workspace)};
    const amx_forward_arrays a({memory}, rows, d);
    const amx::tile_scope scope;
    const int keys = std::max(0, static_cast<int>(visible(rows - 1))), padded = whole_steps(keys);
    copy_rows(k, stride, keys, padded, d, a.k);
    const bool marked = copy_rows(v, stride, keys, padded, d, a.v);
    if (marked) {
      std::fill_n(a.flags, padded, 0.0f);
      clear_rows(a.v, keys, d, a.flags);
    }
    turn_rows(a.v, padded, d, a.v_turned, padded);
    for (int first = 0; first < rows; first += query_block) {
      const query_range r(first, rows, visible);
      const int columns = r.columns / 16;
      running_softmax m;
      copy_rows(q + first * stride, stride, r.count, r.columns, d, a.q);
      turn_words(a.q, r.columns, d, a.q_words);
      int begin = 0;
      do {
        const int end = std::min(begin + amx_key_block, r.keys);
        product(left(a.k + std::ptrdiff_t{begin} * d, d), (end - begin + 15) / 16, right(a.q_words, query_block),
                columns, d / amx::depth, a.s, query_block, false);
        if (marked) mark_scores(a.s, a.flags, begin, end);
        softmax(a.s, a.p_pairs, r, begin, end, scale * 1.44269504f, m);
        if (begin > 0) scale_columns(a.o_turned, d, r.columns, m.rescale);
        product(left(a.v_turned + begin, padded), d / 16, right(a.p_pairs, query_block), columns,
                whole_steps(end - begin) / amx::depth, a.o_turned, query_block, begin > 0);
        begin = end;
      } while (begin < r.keys);
      finish_queries(a.o_turned, m, r, d, lse, lse_stride, [&](int row, int c, const F& x) TRM_INLINE {
        store_rows(narrow(x, x), o + row * o_stride + c, nullptr);
      });
    }
  }

  /// As attention_tiles::score_gradients, rounded: p and ds as rows of queries, ds as pairs of keys too; zeros up to
  /// whole steps.
  static void score_gradients(const amx_backward_arrays& a, const query_range& r, int begin, int end, float scale,
                              const float* lse, const float* delta) {
    with_isa<isa::avx512_bf16>([&](auto) TRM_INLINE {
      const F factor = F::broadcast(scale), log_factor = F::broadcast(scale * 1.44269504f);
      const int stop = whole_steps(end - begin);
      for (int c = 0; c < r.columns; c += 16) {
        const W visible = W::load(r.visible + c);
        const int all = std::min(end, static_cast<int>(*std::min_element(r.visible + c, r.visible + c + 16))) - begin;
        const F log_sum = F::load(lse + c), mean = F::load(delta + c) * factor;
        const auto two = [&](int j, auto hidden) TRM_INLINE {
          F p[2], ds[2];
          TRM_UNROLL
          for (int l = 0; l < 2; ++l) {
            const std::ptrdiff_t at = std::ptrdiff_t{j + l} * query_block + c;
            p[l] = exp2(multiply_add(F::load(a.p + at), log_factor, F{-log_sum.v}));
            ds[l] = p[l] * multiply_add(F::load(a.ds + at), factor, F{-mean.v});
            if constexpr (hidden) {
              const W mask = seen(begin + j + l, visible);
              p[l] = select(mask, p[l], F::zero());
              ds[l] = select(mask, ds[l], F::zero());
            }
          }
          const std::ptrdiff_t at = std::ptrdiff_t{j} * query_block + c;
          store_rows(narrow(p[0], p[1]), a.p_rows + at, a.p_rows + at + query_block);
          const halves rounded = narrow(ds[0], ds[1]);
          store_rows(rounded, a.ds_rows + at, a.ds_rows + at + query_block);
          store_pairs(rounded, a.ds_pairs + std::ptrdiff_t{j / 2} * query_block + c);
        };
        int j = 0;
        for (; j + 2 <= all; j += 2) two(j, std::false_type());
        for (; j < stop; j += 2) two(j, std::true_type());
      }
      if (r.columns % amx::depth != 0) {  // the reduction over queries goes on to a whole step
        const halves zero{};
        for (int j = 0; j < stop; j += 2) {
          const std::ptrdiff_t at = std::ptrdiff_t{j} * query_block + r.columns;
          store_rows(zero, a.p_rows + at, a.p_rows + at + query_block);
          store_rows(zero, a.ds_rows + at, a.ds_rows + at + query_block);
        }
      }
    });
  }

  template <class Visible>
  static void backward(const bf16* q, const bf16* k, const bf16* v, std::ptrdiff_t stride, int rows, int d, float scale,
                       Visible visible, const bf16* o, const bf16* d_o, std::ptrdiff_t o_stride, const float* lse,
                       std::ptrdiff_t lse_stride, float* dq, float* dk, float* dv, void* workspace) {
    attention_memory memory{static_cast<float*>(workspace)};
    const amx_backward_arrays a({memory}, rows, d);
    const amx::tile_scope scope;
    const int keys = std::max(0, static_cast<int>(visible(rows - 1))), padded = whole_steps(keys);
    const key_gradient dk_sum(dk, a.dk, rows, keys, d), dv_sum(dv, a.dv, rows, keys, d);
    const bool bad_k = copy_rows(k, stride, keys, padded, d, a.k), bad_v = copy_rows(v, stride, keys, padded, d, a.v);
    const bool marked = bad_k || bad_v;
    if (marked) {
      std::fill_n(a.flags, padded, 0.0f);
      clear_rows(a.k, keys, d, a.flags);
      clear_rows(a.v, keys, d, a.flags);
    }
    turn_rows(a.k, padded, d, a.k_turned, padded);
    for (int first = 0; first < rows; first += query_block) {
      const query_range r(first, rows, visible);
      const int columns = r.columns / 16, whole = whole_steps(r.count);
      alignas(64) float log_sum[query_block] = {}, delta[query_block] = {};
      const bool bad_q = copy_rows(q + first * stride, stride, r.count, whole, d, a.q);
      const bool bad_d = copy_rows(d_o + first * o_stride, o_stride, r.count, whole, d, a.d_o);
      for (int i = 0; i < r.count; ++i) log_sum[i] = lse[(first + i) * lse_stride] * 1.44269504f;
      with_isa<isa::avx512>([&](auto) TRM_INLINE {
        for (int i = 0; i < r.count; ++i) {
          F sum = F::zero();
          for (int c = 0; c < d; c += 16) {
            sum = multiply_add(load_floats<16>(a.d_o + std::ptrdiff_t{i} * d + c),
                               load_floats<16>(o + (first + i) * o_stride + c), sum);
          }
          delta[i] = sum_of(sum);
        }
      });
      if (bad_q) clear_rows(a.q, r.count, d, log_sum);
      if (bad_d) clear_rows(a.d_o, r.count, d, log_sum);
      turn_words(a.q, r.columns, d, a.q_words);
      turn_words(a.d_o, r.columns, d, a.do_words);
      pair_rows(a.q, whole, d, a.q_pairs);
      pair_rows(a.d_o, whole, d, a.do_pairs);
      int begin = 0;
      do {
        const int end = std::min(begin + amx_key_block, r.keys), tiles = (end - begin + 15) / 16;
        const std::ptrdiff_t at = std::ptrdiff_t{begin} * d;
        product(left(a.k + at, d), tiles, right(a.q_words, query_block), columns, d / amx::depth, a.p, query_block,
                false);
        product(left(a.v + at, d), tiles, right(a.do_words, query_block), columns, d / amx::depth, a.ds, query_block,
                false);
        if (marked) mark_scores(a.p, a.flags, begin, end);
        score_gradients(a, r, begin, end, scale, log_sum, delta);
        product(left(a.p_rows, query_block), tiles, right(a.do_pairs, d), d / 16, whole / amx::depth, dv_sum.sums + at,
                d, true);
        product(left(a.ds_rows, query_block), tiles, right(a.q_pairs, d), d / 16, whole / amx::depth, dk_sum.sums + at,
                d, true);
        product(left(a.k_turned + begin, padded), d / 16, right(a.ds_pairs, query_block), columns,
                whole_steps(end - begin) / amx::depth, a.dq_turned, query_block, begin > 0);
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
