// SPDX-License-Identifier: MIT
// The CUDA backend: every operation, on a device (device.hpp): a GPU (gpu.cuh), or what stands for one in tests.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "trm/backend/count.hpp"
#include "trm/backend/cuda/attention_passes.hpp"
#include "trm/backend/cuda/device.hpp"
#include "trm/backend/cuda/embedding.hpp"
#include "trm/backend/cuda/losses.hpp"
#include "trm/backend/cuda/products.hpp"
#include "trm/backend/cuda/rotations.hpp"
#include "trm/backend/cuda/sinks.hpp"
#include "trm/backend/cuda/step_state.hpp"
#include "trm/backend/cuda/weights.hpp"
#include "trm/ops/attention.hpp"
#include "trm/ops/embedding.hpp"
#include "trm/ops/halting.hpp"

namespace trm::cuda {

/// The CUDA backend on a device, which must outlive it. Every pointer and view that an operation is given is in the device's memory,
/// those of the call (lengths, prefixes) too. Operations are asked for and not waited for. What an operation needs besides (scratch
/// memory, tables of rotations) is taken when it is first used, so a step is run once before it is captured.
/// What is computed is the same, bit for bit, every time.
template <class Device>
class context : public attention_passes<Device> {
  using attention_passes<Device>::device_;
  using attention_passes<Device>::need;
  using attention_passes<Device>::row_threads;
  using attention_passes<Device>::tables_;

 public:
  /// The handle of a parameter; the prepared forms of an aggregate of them.
  template <class T>
  using weight = cuda::weight<T>;
  template <class T, template <class> class Params>
  using prepared = prepared_weights<T, Params>;

  /// On this device.
  explicit context(Device& d) : attention_passes<Device>(d) {}
  context(const context&) = delete;
  context& operator=(const context&) = delete;
  /// What everything runs on.
  Device& device() { return device_; }

  /// Takes the memory that products of the widths that `largest` counted need.
  template <class T>
  void reserve(const count& largest) {
    using A = accumulator<T>;
    const int n = std::max(largest.max_product_width, largest.max_product_depth);
    if (n > 0) need(std::max(tile_budget, static_cast<std::size_t>(pitch_of<A>(n)) * sizeof(A)));
  }

  // ---- products ----
  template <class C, class X, class T, int N, int K, class S>
  void matmul(const C& c, X x, matrix<weight<T>, N, K> w, S out) {
    rows_product<N, K>(c, x, factor{w.data.product, 1, pitch_of<T>(K), 0}, static_cast<const accumulator<T>*>(nullptr),
                       out);
  }
  template <class C, class X, class T, int N, int K, class S>
  void matmul_bias(const C& c, X x, matrix<weight<T>, N, K> w, tensor<weight<T>, N> bias, S out) {
    rows_product<N, K>(c, x, factor{w.data.product, 1, pitch_of<T>(K), 0}, bias.data.master, out);
  }
  template <class C, class D, class T, int N, int K, class S>
  void matmul_input_gradient(const C& c, D d, matrix<weight<T>, N, K> w, S out) {
    rows_product<K, N>(c, d, factor{w.data.product, pitch_of<T>(K), 1, 0}, static_cast<const accumulator<T>*>(nullptr),
                       out);
  }
  template <class C, class D, class X, class G, int N, int K>
  void matmul_weight_gradient(const C& c, D d, X x, matrix<G, N, K> dw) {
    using T = typename X::value_type;
    static_assert(std::is_same_v<G, accumulator<T>>,
                  "matmul_weight_gradient: gradients are sums in float32, or float64");
    auto left = detail::matrices_of(d, c.batch, c.rows), right = detail::matrices_of(x, c.batch, c.rows);
    if (left.samples != right.samples) {
      left = detail::matrices_of_samples(d, c.batch, c.rows), right = detail::matrices_of_samples(x, c.batch, c.rows);
    }
    product p{element_of<T>, 1, N, K, left.rows, detail::exchanged(left.x), right.x, dw.data, K, 0, true};
    if (left.samples == 1) return device_.multiply(p);
    // one product for each sample, summed in the order of the samples
    constexpr std::ptrdiff_t size = static_cast<std::ptrdiff_t>(N) * K;
    const int most = std::clamp(static_cast<int>(tile_budget / (size * sizeof(G))), 1, left.samples);
    G* parts = reinterpret_cast<G*>(need(static_cast<std::size_t>(most * size) * sizeof(G)));
    p.out = parts, p.out_sample = size, p.accumulate = false;
    for (int first = 0; first < left.samples; first += most) {
      p.samples = std::min(most, left.samples - first);
      p.a = detail::exchanged(detail::advanced<T>(left.x, first, 0));
      p.b = detail::advanced<T>(right.x, first, 0);
      device_.multiply(p);
      add_parts(dw.data, parts, p.samples, size);
    }
  }
  template <class C, class D, class G, int N>
  void bias_gradient(const C& c, D d, tensor<G, N> db) {
    const auto x = detail::strided(d, c.rows);
    constexpr int threads = 256;
    device_.launch(detail::add_rows_kernel<std::remove_const_t<decltype(x)>, G>{x, db.data, N, c.rows, c.batch},
                   (N + warp_size - 1) / warp_size, threads, threads * sizeof(G));
  }

  // ---- rows ----
  template <class C, class X, class S>
  void emit(const C& c, X x, S out) {
    static_assert(detail::row_fits(X::width, sizeof(accumulator<typename X::value_type>)),
                  "emit: a row does not fit a block's shared memory");
    const auto from = detail::strided(x, c.rows);
    using source = detail::rows_of_view<std::remove_const_t<decltype(from)>>;
    give<accumulator<typename X::value_type>>(c, source{from}, X::order == layout::channels_first, X::width, out, 0,
                                              c.batch * c.rows);
  }
  template <class C, class X>
  void zero(const C& c, X x) {
    if (x.pitch == 0) {
      device_.clear(x.data, static_cast<std::size_t>(c.batch) * static_cast<std::size_t>(x.steps(c.rows).sample) *
                                sizeof(typename X::value_type));
    } else {
      give<accumulator<typename X::value_type>>(c, detail::rows_of_zeros{}, false, X::width, sink::store<X>{x}, 0,
                                                c.batch * c.rows);
    }
  }
  /// f(b) for every sample, on the device: F is a type with a TRM_HD operator() const, no lambda.
  template <class C, class F>
  void each_sample(const C& c, F f) {
    device_.launch(each_sample_kernel<F>{f, c.batch}, blocks_of(c.batch), 128, 0);
  }

  // ---- embedding ----
  template <int P, int W, class C, class M, class T, int V, int D, class X>
  void embed(const C& c, embedding_input<M> in, tensor<weight<T>, V, D> table, double scale, X x) {
    const auto to = detail::strided(x, c.rows);
    device_.launch(
        detail::embed_kernel<std::remove_const_t<decltype(to)>, accumulator<T>>{
            to, in.tokens, in.puzzle_rows, table.data.master, static_cast<accumulator<T>>(scale), c.rows, P, W, D},
        c.batch * c.rows, row_threads, 0);
  }
  template <class C, class T, int L, int D, class X>
  void add_positions(const C& c, tensor<weight<T>, L, D> positions, double scale, X x) {
    const auto to = detail::strided(x, c.rows);
    device_.launch(
        detail::add_positions_kernel<std::remove_const_t<decltype(to)>, accumulator<T>>{
            to, positions.data.master, static_cast<accumulator<T>>(scale), c.rows, D},
        c.batch * c.rows, row_threads, 0);
  }
  template <int P, int W, class C, class X, class G, int V, int D, class M>
  void embed_gradient(const C& c, const int* tokens, X dx, double scale, tensor<G, V, D> table, M* puzzle_gradient) {
    const auto from = detail::strided(dx, c.rows);
    using rows = std::remove_const_t<decltype(from)>;
    const int count = c.batch * (c.rows - P);
    const int parts = std::clamp(256 / V, 1, (count + 63) / 64), rows_of_part = (count + parts - 1) / parts;
    constexpr std::ptrdiff_t size = static_cast<std::ptrdiff_t>(V) * D;
    G* sums = reinterpret_cast<G*>(need(static_cast<std::size_t>(parts * size) * sizeof(G)));
    device_.launch(detail::token_gradient_kernel<rows, G>{from, tokens, sums, static_cast<G>(scale), c.rows, P, D, V,
                                                          rows_of_part, count},
                   parts * V, row_threads, 0);
    add_parts(table.data, sums, parts, size);
    if constexpr (P > 0) {
      device_.launch(detail::puzzle_gradient_kernel<rows, M>{from, puzzle_gradient, static_cast<M>(scale), P, W, D},
                     c.batch * P, row_threads, 0);
    }
  }
  template <class C, class X, class G, int L, int D>
  void positions_gradient(const C& c, X dx, double scale, tensor<G, L, D> positions) {
    const auto from = detail::strided(dx, c.rows);
    device_.launch(
        detail::positions_gradient_kernel<std::remove_const_t<decltype(from)>, G>{from, positions.data,
                                                                                  static_cast<G>(scale), c.batch, D},
        c.rows, row_threads, 0);
  }
  template <class C, class Z, class M, int D>
  void reset(const C& c, Z z, tensor<M, D> initial, const unsigned char* halted) {
    const auto to = detail::strided(z, c.rows);
    device_.launch(detail::reset_kernel<std::remove_const_t<decltype(to)>, M>{to, initial.data, halted, c.rows, D},
                   c.batch * c.rows, row_threads, 0);
  }

  // ---- losses and halting ----
  template <class Loss, class C, class X, class G>
  void cross_entropy(const C& c, X logits, const int* labels, double scale, G d_logits, int* predictions,
                     token_result* results) {
    using T = typename X::value_type;
    static_assert(X::order == layout::channels_last, "cross_entropy: the logits of a token must lie together");
    T* d = nullptr;
    if constexpr (is_view<G>) d = d_logits.data;
    constexpr int threads = 256;
    device_.launch(detail::cross_entropy_kernel<Loss, T, is_view<G>>{logits.data, logits.steps(c.rows).sample, c.rows,
                                                                     X::width, labels, scale, d, predictions, results},
                   c.batch, threads, threads / warp_size * sizeof(double));
  }
  template <class C, class Q, class N, class G>
  void halting_loss(const C& c, Q q, N next_q, const token_result* results, const int* steps, int max_steps,
                    double scale, G dq, halting_result* out) {
    launch_halting_loss(c.batch, plain(q), plain(next_q), results, steps, max_steps, scale, plain(dq), out);
  }
  template <class C>
  void halt(const C& c, halting_rule rule, draw_key key, const halting_result* q, const int* steps,
            unsigned char* halted) {
    device_.launch(detail::halt_kernel{rule, key, nullptr, q, steps, halted, c.batch}, blocks_of(c.batch), 128, 0);
  }
  /// The same with seed and step of a step_state in device memory, for captured steps.
  template <class C>
  void halt(const C& c, halting_rule rule, const step_state* state, std::uint32_t first_sample, const halting_result* q,
            const int* steps, unsigned char* halted) {
    device_.launch(detail::halt_kernel{rule, {0, 0, first_sample}, state, q, steps, halted, c.batch},
                   blocks_of(c.batch), 128, 0);
  }

 private:
  /// Results of a product that wait for their sink: as much as stays in a second-level cache.
  static constexpr std::size_t tile_budget = std::size_t{24} << 20;

  template <class F>
  struct each_sample_kernel {
    F f;
    int batch;
    template <class Block>
    TRM_HD void operator()(Block& b) const {
      const int i = b.index() * b.threads() + b.thread();
      if (i < batch) f(i);
    }
  };

  /// v = x w, [rows, N] = [rows, K] [K, N], some rows at a time; the sink is applied to them while they are in the cache.
  template <int N, int K, class C, class X, class S>
  void rows_product(const C& c, X x, factor w, const accumulator<typename X::value_type>* bias, S out) {
    using T = typename X::value_type;
    using A = accumulator<T>;
    static_assert(detail::row_fits(N, sizeof(A)), "matmul: a row of the result does not fit a block's shared memory");
    constexpr int pitch = pitch_of<A>(N);
    const auto from = detail::matrices_of(x, c.batch, c.rows);
    const int most = std::max(1, static_cast<int>(tile_budget / (pitch * sizeof(A))));  // rows
    const bool one = from.samples == 1;
    // whole samples, or rows in multiples of a tensor core's tile
    const int step =
        one ? std::min(from.rows, most > 128 ? most / 128 * 128 : most) : std::clamp(most / from.rows, 1, from.samples);
    const int all = one ? from.rows : from.samples, rows_of_step = one ? 1 : from.rows;
    A* tile = reinterpret_cast<A*>(
        need(static_cast<std::size_t>(step) * static_cast<std::size_t>(rows_of_step) * pitch * sizeof(A)));
    for (int first = 0; first < all; first += step) {
      const int count = std::min(step, all - first);
      device_.multiply({element_of<T>, one ? 1 : count, one ? count : from.rows, N, K,
                        detail::advanced<T>(from.x, one ? 0 : first, one ? first : 0), w, tile, pitch,
                        static_cast<std::ptrdiff_t>(from.rows) * pitch, false});
      give<A>(c, detail::rows_of_product<T>{tile, pitch, bias}, false, N, out, first * rows_of_step,
              count * rows_of_step);
    }
  }
  /// Gives rows [first, first + total) of n channels to a sink.
  template <class A, class C, class Source, class S>
  void give(const C& c, Source source, bool across, int n, S out, int first, int total) {
    detail::lowering<rotation_tables<Device>> l{tables_, c.rows, across};
    const auto sink = lower(out, l);
    const auto shape = detail::shape_of_rows(n, sizeof(A), l.across);
    device_.launch(detail::rows_kernel<A, Source, std::remove_const_t<decltype(sink)>>{source, sink, first, total,
                                                                                       c.rows, n, shape.at_once},
                   (total + shape.at_once - 1) / shape.at_once, shape.threads,
                   static_cast<std::size_t>(shape.at_once) * static_cast<std::size_t>(n | 1) * sizeof(A));
  }
  template <class A>
  void add_parts(A* sum, const A* parts, int count, std::ptrdiff_t size) {
    device_.launch(detail::add_parts_kernel<A>{sum, parts, count, size}, static_cast<int>((size + 255) / 256), 256, 0);
  }

  /// nvcc spells a kernel's type by the alias that a view was declared with; deduced again it is a plain name.
  template <class T, int R, int W, layout Order>
  static view<T, R, W, Order> plain(view<T, R, W, Order> v) {
    return v;
  }
  static absent plain(absent) { return {}; }
  template <class Q, class N, class G>
  void launch_halting_loss(int batch, Q q, N next_q, const token_result* results, const int* steps, int max_steps,
                           double scale, G dq, halting_result* out) {
    device_.launch(detail::halting_loss_kernel<Q, N, G>{q, next_q, results, steps, batch, max_steps, scale, dq, out},
                   blocks_of(batch), 128, 0);
  }

  static constexpr int blocks_of(int n) { return (n + 127) / 128; }
};

}  // namespace trm::cuda
