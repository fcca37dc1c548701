// SPDX-License-Identifier: MIT
// The CPU backend: every operation, on a pool of threads, with the matrix product of a provider.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <thread>

#include "trm/backend/count.hpp"
#include "trm/backend/cpu/attention_kernel.hpp"
#include "trm/backend/cpu/builtin_product.hpp"
#include "trm/backend/cpu/column_sinks.hpp"
#include "trm/backend/cpu/embedding.hpp"
#include "trm/backend/cpu/isa.hpp"
#include "trm/backend/cpu/losses.hpp"
#include "trm/backend/cpu/optimizer.hpp"
#include "trm/backend/cpu/sinks.hpp"
#include "trm/backend/cpu/thread_pool.hpp"
#include "trm/backend/cpu/weights.hpp"
#include "trm/core/buffer.hpp"
#include "trm/core/random.hpp"
#include "trm/fwd.hpp"
#include "trm/ops/attention.hpp"
#include "trm/ops/embedding.hpp"
#include "trm/ops/halting.hpp"
#include "trm/ops/optimizer.hpp"

namespace trm::cpu {

/// Threads to use unless told otherwise.
inline int default_threads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

/// The CPU backend. Provider computes matrix products (see product_provider.hpp): builtin_product needs nothing installed.
/// What is computed does not depend on the number of threads.
template <class Provider>
class context {
 public:
  /// What computes products; the handle of a parameter; the prepared forms of an aggregate of them.
  using provider = Provider;
  template <class T>
  using weight = cpu::weight<T>;
  template <class T, template <class> class Params>
  using prepared = prepared_weights<Provider, T, Params>;

  /// Computes on so many threads, the calling one among them. Throws trm::error for less than one.
  explicit context(int threads = default_threads()) : pool_(threads) {}
  /// Threads, the calling one among them.
  int threads() const { return pool_.size(); }
  /// The pool that every operation runs on.
  thread_pool& pool() { return pool_; }

  /// Takes the memory for everything that `largest` counted, so that no operation of these types allocates.
  template <class T>
  void reserve(const count& largest) {
    const int n = std::max(largest.max_product_width, largest.max_product_depth);
    std::size_t worker = product_bytes<T>(n, n);
    worker = std::max(worker, row_bytes<T>(largest.max_pass_width));
    worker = std::max(worker, attention_bytes<T>(largest.max_rows, std::max(largest.max_head_width, 1)));
    need(worker, Provider::template accumulate_workspace<T>(n, n));
  }

  // ---- products ----
  template <class C, class X, class T, int N, int K, class S>
  void matmul(const C& c, X x, matrix<weight<T>, N, K> w, S out) {
    rows_product<N, K>(c, x, w.data.product, static_cast<const accumulator<T>*>(nullptr), out);
  }
  template <class C, class X, class T, int N, int K, class S>
  void matmul_bias(const C& c, X x, matrix<weight<T>, N, K> w, tensor<weight<T>, N> bias, S out) {
    rows_product<N, K>(c, x, w.data.product, bias.data.master, out);
  }
  template <class C, class D, class T, int N, int K, class S>
  void matmul_input_gradient(const C& c, D d, matrix<weight<T>, N, K> w, S out) {
    rows_product<K, N>(c, d, w.data.gradient, static_cast<const accumulator<T>*>(nullptr), out);
  }
  template <class C, class D, class X, class G, int N, int K>
  void matmul_weight_gradient(const C& c, D d, X x, matrix<G, N, K> dw) {
    using T = typename X::value_type;
    need(0, Provider::template accumulate_workspace<T>(N, K));
    const strides sd = d.steps(c.rows), sx = x.steps(c.rows);
    int batch = c.batch, rows = c.rows;
    std::ptrdiff_t d_row = sd.row, x_row = sx.row;
    if (rows == 1) {  // one row a sample: the samples are the rows
      d_row = sd.sample, x_row = sx.sample;
      rows = batch, batch = 1;
    } else if (sd.sample == rows * sd.row && sx.sample == rows * sx.row) {
      rows *= batch, batch = 1;
    }
    Provider::template accumulate<T, G>(pool_, batch, rows, strided<const T>{d.data, d_row, sd.channel}, sd.sample, N,
                                        strided<const T>{x.data, x_row, sx.channel}, sx.sample, K, dw.data, K,
                                        shared_.data());
  }
  template <class C, class D, class G, int N>
  void bias_gradient(const C& c, D d, tensor<G, N> db) {
    for (int b = 0; b < c.batch; ++b) {
      for (int r = 0; r < c.rows; ++r) {
        for (int i = 0; i < N; ++i) db.data[i] += static_cast<G>(d.at(c.rows, b, r, i));
      }
    }
  }

  // ---- attention ----
  template <int Heads, class Mask, class C, class Q, class O, class S>
  void attention(const C& c, Q qkv, O o, S lse) {
    using T = typename Q::value_type;
    using A = accumulator<T>;
    constexpr int D = O::width, d = D / Heads;
    need(attention_bytes<T>(c.rows, d), 0);
    const strides sq = qkv.steps(c.rows), so = o.steps(c.rows);
    pool_.run(c.batch * Heads, [&](int task, int worker) {
      const int b = task / Heads, h = task % Heads;
      const T* q = qkv.data + b * sq.sample + h * d;
      A* row_lse = nullptr;
      std::ptrdiff_t lse_row = 0;
      if constexpr (is_view<S>) {
        const strides sl = lse.steps(c.rows);
        row_lse = lse.data + b * sl.sample + h;
        lse_row = sl.row;
      }
      attention_forward<T>(q, q + D, q + 2 * D, sq.row, c.rows, d, A(1) / std::sqrt(A(d)), visible<Mask>(c, b),
                           o.data + b * so.sample + h * d, so.row, row_lse, lse_row, worker_memory(worker),
                           Q::max_rows >= detail::rows_for_split_attention);
    });
  }
  template <int Heads, class Mask, class Positions, class C, class Q, class O, class S, class Do, class G>
  void attention_gradient(const C& c, Q qkv, O o, S lse, Do d_o, G dqkv) {
    using T = typename Q::value_type;
    using A = accumulator<T>;
    constexpr int D = O::width, d = D / Heads;
    need(attention_bytes<T>(c.rows, d), 0);
    const strides sq = qkv.steps(c.rows), so = o.steps(c.rows), sl = lse.steps(c.rows), sg = dqkv.steps(c.rows);
    const std::ptrdiff_t one = static_cast<std::ptrdiff_t>(c.rows) * d;
    pool_.run(c.batch * Heads, [&](int task, int worker) {
      const int b = task / Heads, h = task % Heads;
      const T* q = qkv.data + b * sq.sample + h * d;
      A* dq = reinterpret_cast<A*>(worker_memory(worker));
      void* workspace = worker_memory(worker) + round_up(static_cast<std::size_t>(3 * one) * sizeof(A), alignment);
      attention_backward<T>(q, q + D, q + 2 * D, sq.row, c.rows, d, A(1) / std::sqrt(A(d)), visible<Mask>(c, b),
                            o.data + b * so.sample + h * d, d_o.data + b * so.sample + h * d, so.row,
                            lse.data + b * sl.sample + h, sl.row, dq, dq + one, dq + 2 * one, workspace,
                            Q::max_rows >= detail::rows_for_split_attention);
      for_isa(current_isa(), [&](auto level) TRM_INLINE {
        for (int r = 0; r < c.rows; ++r) {
          T* out = dqkv.data + b * sg.sample + r * sg.row + h * d;
          for (int part = 0; part < 3; ++part) {
            A* g = dq + part * one + static_cast<std::ptrdiff_t>(r) * d;
            if constexpr (Positions::rotates) {
              const auto& table = rotation_table<Positions, Q::max_rows, d>::instance;
              if (part < 2) detail::turn<level.lanes>(g, table.cosine_of(r), table.sine_of(r), d, A(-1));
            }
            const detail::view_row<T, layout::channels_last> to{out + part * D, 1};
            detail::each<A, level.lanes>(
                d, [&](int i, auto l) TRM_INLINE { detail::set<l(), A>(to, i, detail::get<l()>(g, i)); });
          }
        }
      });
    });
  }

  // ---- rows ----
  template <class C, class X, class S>
  void emit(const C& c, X x, S out) {
    using A = accumulator<typename X::value_type>;
    need(row_bytes<typename X::value_type>(X::width), 0);
    const int total = c.batch * c.rows, block = pool_.at_once(total, 32);
    pool_.run((total + block - 1) / block, [&](int task, int worker) {
      A* v = reinterpret_cast<A*>(worker_memory(worker));
      const int end = std::min(total, (task + 1) * block);
      for_isa(current_isa(), [&](auto level) TRM_INLINE {
        for (int i = task * block; i < end; ++i) {
          const detail::row_place p{i / c.rows, i % c.rows, c.rows};
          const auto row = detail::row_at(x, p);
          detail::each<A, level.lanes, X::order>(
              X::width, [&](int j, auto l) TRM_INLINE { detail::set<l()>(v, j, detail::get<l(), A>(row, j)); });
          detail::put(out, detail::result_row<A, level.lanes>{v, X::width, p});
        }
      });
    });
  }
  template <class C, class X>
  void zero(const C& c, X x) {
    const strides s = x.steps(c.rows);
    pool_.run(c.batch, [&](int b, int) {
      auto* p = x.data + b * s.sample;
      std::fill(p, p + static_cast<std::ptrdiff_t>(c.rows) * X::width, typename X::value_type{});
    });
  }
  template <class C, class F>
  void each_sample(const C& c, F f) {
    pool_.run(c.batch, [&](int b, int) { f(b); });
  }

  // ---- embedding ----
  template <int P, int W, class C, class M, class T, int V, int D, class X>
  void embed(const C& c, embedding_input<M> in, tensor<weight<T>, V, D> table, double scale, X x) {
    detail::embed<P, W>(pool_, c, in, table, scale, x);
  }
  template <class C, class T, int L, int D, class X>
  void add_positions(const C& c, tensor<weight<T>, L, D> positions, double scale, X x) {
    detail::add_positions(pool_, c, positions, scale, x);
  }
  template <int P, int W, class C, class X, class G, int V, int D, class M>
  void embed_gradient(const C& c, const int* tokens, X dx, double scale, tensor<G, V, D> table, M* puzzle_gradient) {
    detail::embed_gradient<P, W>(pool_, c, tokens, dx, scale, table, puzzle_gradient);
  }
  template <class C, class X, class G, int L, int D>
  void positions_gradient(const C& c, X dx, double scale, tensor<G, L, D> positions) {
    detail::positions_gradient(pool_, c, dx, scale, positions);
  }
  template <class C, class Z, class M, int D>
  void reset(const C& c, Z z, tensor<M, D> initial, const unsigned char* halted) {
    detail::reset(pool_, c, z, initial, halted);
  }

  // ---- losses and halting ----
  template <class Loss, class C, class X, class G>
  void cross_entropy(const C& c, X logits, const int* labels, double scale, G d_logits, int* predictions,
                     token_result* results) {
    pool_.run(c.batch, [&](int b, int) {
      const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(b) * c.rows;
      results[b] =
          detail::cross_entropy_sample<Loss>(b, c.rows, logits, labels + first, scale, d_logits, predictions + first);
    });
  }
  template <class C, class Q, class N, class G>
  void halting_loss(const C& c, Q q, N next_q, const token_result* results, const int* steps, int max_steps,
                    double scale, G dq, halting_result* out) {
    for (int b = 0; b < c.batch; ++b) {
      out[b] = detail::halting_loss_sample(b, q, next_q, results[b].exact(), steps[b] >= max_steps, scale, dq);
    }
  }
  template <class C>
  void halt(const C& c, halting_rule rule, draw_key key, const halting_result* q, const int* steps,
            unsigned char* halted) {
    for (int b = 0; b < c.batch; ++b) {
      halted[b] = detail::halts(rule, key, static_cast<std::uint32_t>(b), q[b], steps[b]);
    }
  }

  // ---- flat buffers ----
  template <class T>
  void adam_atan2(T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale) {
    detail::adam_like(pool_, p, m, v, g, n, s, scale, detail::angle_of_moments{});
  }
  template <class T>
  void adamw(T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale) {
    detail::adam_like(pool_, p, m, v, g, n, s, scale, detail::ratio_of_moments{s.epsilon});
  }
  template <class T>
  void ema(T* average, const T* p, std::size_t n, double rate) {
    const T keep = static_cast<T>(rate), add = static_cast<T>(1 - rate);
    detail::each_element(pool_, n, [=](std::size_t i) TRM_INLINE { average[i] = add * p[i] + keep * average[i]; });
  }
  template <class T>
  double squared_norm(const T* g, std::size_t n) {
    return detail::squared_norm(pool_, g, n);
  }
  template <class T>
  void add(T* sum, const T* g, std::size_t n) {
    detail::each_element(pool_, n, [=](std::size_t i) TRM_INLINE { sum[i] += g[i]; });
  }
  template <class T>
  void clear(T* g, std::size_t n) {
    detail::each_element(pool_, n, [=](std::size_t i) TRM_INLINE { g[i] = T(0); });
  }

 private:
  /// v = x W^T in blocks of rows, and of columns where provider and sink take them; the sink is applied to a block while it is in the
  /// cache.
  template <int N, int K, class C, class X, class M, class S>
  void rows_product(const C& c, X x, const void* prepared, const M* bias, S out) {
    using T = typename X::value_type;
    using A = accumulator<T>;
    constexpr int part = columns_at_once<T, S>(N);
    constexpr bool halves = detail::parts_of<S>.halves && part < N;
    constexpr std::ptrdiff_t ld = part == N ? tile_width(N) : part;
    need(product_bytes<T>(N, K), 0);
    const strides s = x.steps(c.rows);
    const bool merged = c.rows == 1 || (X::order == layout::channels_last && s.sample == c.rows * s.row);
    const std::ptrdiff_t row = c.rows == 1 ? s.sample : s.row;
    const int total = merged ? c.batch * c.rows : c.rows, runs = merged ? 1 : c.batch;
    const int block = rows_of_block<T>(total, runs), unit = row_unit<T>(block), units = (total + unit - 1) / unit;
    const int blocks = std::min(units, (total + block - 1) / block);
    const auto begin_of = [=](int part) {
      return std::min(total, static_cast<int>(std::int64_t{units} * part / blocks) * unit);
    };
    pool_.run(runs * blocks, [&](int task, int worker) {
      const int run = task / blocks, first_row = begin_of(task % blocks), m = begin_of(task % blocks + 1) - first_row;
      A* tile = reinterpret_cast<A*>(worker_memory(worker));
      void* workspace = worker_memory(worker) + tile_bytes<A>(N);
      const strided<const T> a{x.data + run * s.sample + first_row * row, row, s.channel};
      const auto finish = [&](int first, int count) {
        const auto place = [&](int i) {
          const int at = first_row + i;
          return merged ? detail::row_place{at / c.rows, at % c.rows, c.rows} : detail::row_place{run, at, c.rows};
        };
        for_isa(current_isa(), [&](auto level) TRM_INLINE {
          for (int i = 0; i < m; ++i) {
            A* v = tile + i * ld;
            const detail::row_place p = place(i);
            if constexpr (part == N && detail::takes_columns<S>) {
              if constexpr (level.lanes == 16) {
                constexpr int together = detail::rows_of_columns;
                if (bias == nullptr && i + together <= m && p.row + together <= c.rows) {
                  detail::put_rows_as_columns<N>(out, v, ld, p);
                  i += together - 1;
                  continue;
                }
              }
            }
            if (bias != nullptr) {
              for (int j = 0; j < count; ++j) v[j] += static_cast<A>(static_cast<T>(bias[first + j]));
            }
            detail::put(out, detail::result_row<A, level.lanes>{v, count, p, first});
          }
        });
      };
      if constexpr (part == N) {
        Provider::template multiply<T>(a, m, prepared, N, K, tile, ld, workspace);
        finish(0, N);
      } else {
        Provider::template pack<T>(a, m, K, workspace);
        constexpr int end = halves ? N / 2 : N, step = halves ? part / 2 : part;
        for (int first = 0; first < end; first += step) {
          const int count = std::min(step, end - first), next = first + step < end ? first + step : 0;
          const auto multiply = [&](column_range columns, A* to) {
            Provider::template multiply_columns<T>(a, m, prepared, N, K, columns, to, ld, workspace);
          };
          if constexpr (halves) {
            multiply({first, count, N / 2 + first}, tile);
            multiply({N / 2 + first, count, next}, tile + count);
          } else {
            multiply({first, count, next}, tile);
          }
          finish(first, halves ? 2 * count : count);
        }
      }
    });
  }
  /// Columns that a sink is given at once: about 256 where it and the provider take parts of a row, otherwise all N.
  template <class T, class S>
  static constexpr int columns_at_once(int n) {
    if constexpr (!std::is_same_v<T, double> && multiplies_columns<Provider>) {
      constexpr detail::row_parts parts = detail::parts_of<S>;
      if (parts.unit > 0) {
        const int unit = std::lcm(parts.unit, Provider::column_unit) * (parts.halves ? 2 : 1), part = 256 / unit * unit;
        if (part > 0 && part < n && (!parts.halves || n / 2 % Provider::column_unit == 0)) return part;
      }
    }
    return n;
  }
  template <class T>
  int rows_of_block(int total, int runs) const {
    if constexpr (multiplies_columns<Provider>)
      return pool_.at_once(total * runs, Provider::template preferred_rows<T>());
    return Provider::rows_independent ? pool_.at_once(total * runs, Provider::row_block) : Provider::row_block;
  }
  /// Blocks end at multiples of this.
  template <class T>
  static int row_unit(int block) {
    if constexpr (multiplies_columns<Provider>) {
      return Provider::template row_unit<T>();
    } else {
      return block;
    }
  }
  template <class Mask, class C>
  static auto visible(const C& c, int b) {
    const int length = c.lengths != nullptr ? c.lengths[b] : c.rows, prefix = c.prefixes != nullptr ? c.prefixes[b] : 0;
    return [=](int query) { return Mask::visible(query, length, prefix); };
  }

  static constexpr std::ptrdiff_t tile_width(int n) {
    return static_cast<std::ptrdiff_t>(round_up(static_cast<std::size_t>(n), 16));
  }
  template <class A>
  static constexpr std::size_t tile_bytes(int n) {
    return round_up(static_cast<std::size_t>(tile_width(n)) * Provider::row_block * sizeof(A), alignment);
  }
  template <class T>
  static constexpr std::size_t product_bytes(int n, int k) {
    return tile_bytes<accumulator<T>>(n) + Provider::template multiply_workspace<T>(n, k);
  }
  template <class T>
  static constexpr std::size_t row_bytes(int n) {
    return round_up(static_cast<std::size_t>(n) * sizeof(accumulator<T>), alignment);
  }
  template <class T>
  static std::size_t attention_bytes(int rows, int d) {
    const std::size_t gradients =
        round_up(3 * static_cast<std::size_t>(rows) * static_cast<std::size_t>(d) * sizeof(accumulator<T>), alignment);
    return gradients + std::max(attention_forward_workspace<T>(rows, d), attention_backward_workspace<T>(rows, d));
  }
  std::byte* worker_memory(int worker) { return workers_.data() + static_cast<std::size_t>(worker) * worker_bytes_; }
  /// Grows the scratch memory where a call was not reserved for.
  void need(std::size_t worker, std::size_t shared) {
    worker = round_up(worker, 4096);
    if (worker > worker_bytes_) {
      worker_bytes_ = worker;
      workers_ = buffer(worker * static_cast<std::size_t>(pool_.size()));
    }
    if (shared > shared_.size()) shared_ = buffer(shared);
  }

  thread_pool pool_;
  buffer workers_, shared_;
  std::size_t worker_bytes_ = 0;
};

}  // namespace trm::cpu
