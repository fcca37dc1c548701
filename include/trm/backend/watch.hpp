// SPDX-License-Identifier: MIT
// A backend that computes with another one and shows an observer every result.
#pragma once
#include <cstddef>
#include <vector>

#include "trm/backend/finite_observer.hpp"
#include "trm/core/call.hpp"
#include "trm/core/tensor.hpp"
#include "trm/ops/cross_entropy.hpp"
#include "trm/ops/embedding.hpp"
#include "trm/ops/halting.hpp"
#include "trm/ops/rows.hpp"
#include "trm/ops/sinks.hpp"

namespace trm {

namespace detail {

/// Collects the views that a sink wrote.
struct written_by {
  seen_list& seen;

  template <class Y>
  void operator()(const sink::store<Y>& s, const char* how) {
    seen(s.y, how);
  }
  template <class Y>
  void operator()(const sink::add<Y>& s, const char* how) {
    seen(s.y, how);
  }
  template <class O, class Then>
  void operator()(const sink::plus<O, Then>& s, const char* how) {
    (*this)(s.then, how);
  }
  template <class X, class R, class Then>
  void operator()(const sink::add_norm<X, R, Then>& s, const char*) {
    seen(s.r, ": its norm with the residual");
    (*this)(s.then, " with residual and norm");
  }
  template <class Y, class R, class Then>
  void operator()(const sink::norm_gradient<Y, R, Then>& s, const char*) {
    (*this)(s.then, " through the norm");
  }
  template <class G, class H>
  void operator()(const sink::swiglu<G, H>& s, const char* how) {
    seen(s.gate_up, how);
    seen(s.h, ", gated");
  }
  template <class G, class H>
  void operator()(const sink::swiglu_gradient<G, H>& s, const char*) {
    seen(s.gate_up, " through the gate");
  }
  template <class F, class P, class H>
  void operator()(const sink::activate<F, P, H>& s, const char* how) {
    seen(s.pre, how);
    seen(s.h, ", activated");
  }
  template <class F, class P, class H>
  void operator()(const sink::activate_gradient<F, P, H>& s, const char*) {
    seen(s.pre, " through the activation");
  }
  template <int Heads, class Positions, class Y>
  void operator()(const sink::rotate<Heads, Positions, Y>& s, const char* how) {
    seen(s.y, how);
  }
  template <class U>
  void operator()(const sink::sum_with<U>& s, const char*) {
    seen(s.u, ": sum of the states that the network is applied to");
  }
  template <class Y>
  void operator()(const sink::store_and_sum<Y>& s, const char* how) {
    seen(s.y, how);
    if (s.next) (*this)(s.sum, how);
  }
  template <class Y, class Then>
  void operator()(const sink::fan_out<Y, Then>& s, const char* how) {
    for (int i = 0; i < s.count; ++i) seen(s.targets[i], how);
    if (s.deliver) (*this)(s.then, how);
  }
};

}  // namespace detail

/// Computes with Backend, the same bits; after every operation the observer is shown what it wrote. For looking into a step that
/// has gone wrong: a layer's functions are the ones that train, called with call<watch<Backend>>.
template <class Backend>
class watch {
 public:
  /// Computes with `backend` and shows `observer` what every operation reads and writes. Both must outlive it.
  watch(Backend& backend, finite_observer& observer) : backend_(backend), observer_(observer) {}

  /// The recursion is at application i of its schedule.
  void application(std::size_t i) { observer_.application(i); }

  // ---- products ----
  template <class C, class X, class T, int N, int K, class S>
  TRM_COLD void matmul(const C& c, X x, matrix<T, N, K> w, S out) {
    backend_.matmul(through(c), x, w, out);
    observer_.product(ops::values(w), seen(c, x), written(c, out));
  }
  template <class C, class X, class T, int N, int K, class S>
  TRM_COLD void matmul_bias(const C& c, X x, matrix<T, N, K> w, tensor<T, N> bias, S out) {
    backend_.matmul_bias(through(c), x, w, bias, out);
    observer_.product(ops::values(w), seen(c, x), written(c, out));
  }
  template <class C, class D, class T, int N, int K, class S>
  TRM_COLD void matmul_input_gradient(const C& c, D d, matrix<T, N, K> w, S out) {
    backend_.matmul_input_gradient(through(c), d, w, out);
    observer_.product(ops::values(w), seen(c, d), written(c, out));
  }
  template <class C, class D, class X, class G, int N, int K>
  TRM_COLD void matmul_weight_gradient(const C& c, D d, X x, matrix<G, N, K> dw) {
    backend_.matmul_weight_gradient(through(c), d, x, dw);
    observer_.tensor<G>(dw.data, dw.count, seen(c, d, x));
  }
  template <class C, class D, class G, int N>
  TRM_COLD void bias_gradient(const C& c, D d, tensor<G, N> db) {
    backend_.bias_gradient(through(c), d, db);
    observer_.tensor<G>(db.data, db.count, seen(c, d));
  }

  // ---- attention ----
  template <int Heads, class Mask, class C, class Q, class O, class S>
  TRM_COLD void attention(const C& c, Q qkv, O o, S lse) {
    backend_.template attention<Heads, Mask>(through(c), qkv, o, lse);
    observer_.between("attention", seen(c, qkv), seen(c, o, lse));
  }
  template <int Heads, class Mask, class Positions, class C, class Q, class O, class S, class Do, class G>
  TRM_COLD void attention_gradient(const C& c, Q qkv, O o, S lse, Do d_o, G dqkv) {
    backend_.template attention_gradient<Heads, Mask, Positions>(through(c), qkv, o, lse, d_o, dqkv);
    observer_.between("attention", seen(c, qkv, d_o), seen(c, dqkv));
  }

  // ---- rows ----
  template <class C, class X, class S>
  TRM_COLD void emit(const C& c, X x, S out) {
    backend_.emit(through(c), x, out);
    observer_.pass({}, written(c, out));
  }
  template <class C, class X>
  TRM_COLD void zero(const C& c, X x) {
    backend_.zero(through(c), x);
  }
  /// A layer's own arithmetic: what it wrote is seen where it is read.
  template <class C, class F>
  TRM_COLD void each_sample(const C& c, F f) {
    backend_.each_sample(through(c), f);
  }

  // ---- embedding ----
  template <int P, int W, class C, class M, class Table, class X>
  TRM_COLD void embed(const C& c, embedding_input<M> in, Table table, double scale, X x) {
    backend_.template embed<P, W>(through(c), in, table, scale, x);
    observer_.look("input of the recursion, x", {}, seen(c, x));
  }
  template <class C, class Positions, class X>
  TRM_COLD void add_positions(const C& c, Positions positions, double scale, X x) {
    backend_.add_positions(through(c), positions, scale, x);
    observer_.look("input of the recursion, x with positions", {}, seen(c, x));
  }
  template <int P, int W, class C, class X, class Table, class M>
  TRM_COLD void embed_gradient(const C& c, const int* tokens, X dx, double scale, Table table, M* puzzle_gradient) {
    backend_.template embed_gradient<P, W>(through(c), tokens, dx, scale, table, puzzle_gradient);
    observer_.tensor<M>(table.data, table.count, seen(c, dx));
    if (W > 0 && puzzle_gradient != nullptr)
      observer_.look("gradient of the puzzle row", seen(c, dx), packed(puzzle_gradient, c.batch, W));
  }
  template <class C, class X, class Positions>
  TRM_COLD void positions_gradient(const C& c, X dx, double scale, Positions positions) {
    backend_.positions_gradient(through(c), dx, scale, positions);
    observer_.tensor<typename Positions::value_type>(positions.data, positions.count, seen(c, dx));
  }
  template <class C, class Z, class Initial>
  TRM_COLD void reset(const C& c, Z z, Initial initial, const unsigned char* halted) {
    backend_.reset(through(c), z, initial, halted);
  }

  // ---- losses ----
  template <class Loss, class C, class X, class G>
  TRM_COLD void cross_entropy(const C& c, X logits, const int* labels, double scale, G d_logits, int* predictions,
                              token_result* of) {
    backend_.template cross_entropy<Loss>(through(c), logits, labels, scale, d_logits, predictions, of);
    std::vector<double> loss;
    for (int b = 0; b < c.batch; ++b) loss.push_back(of[b].loss);
    observer_.look("token loss", seen(c, logits), packed(loss.data(), c.batch, 1));
    observer_.look("gradient of the logits", seen(c, logits), seen(c, d_logits));
  }
  template <class C, class Q, class N, class G>
  TRM_COLD void halting_loss(const C& c, Q q, N next_q, const token_result* tokens, const int* steps, int max_steps,
                             double scale, G dq, halting_result* of) {
    backend_.halting_loss(through(c), q, next_q, tokens, steps, max_steps, scale, dq, of);
    std::vector<double> halt, go_on;
    for (int b = 0; b < c.batch; ++b) halt.push_back(of[b].halt_loss), go_on.push_back(of[b].continue_loss);
    const seen_list read = seen(c.with_rows(1), q);
    observer_.look("halting loss", read, packed(halt.data(), c.batch, 1));
    observer_.look("loss of q_continue", read, packed(go_on.data(), c.batch, 1));
    observer_.look("gradient of the Q values", {}, seen(c.with_rows(1), dq));
  }

 private:
  template <class C>
  call<Backend> through(const C& c) const {
    return {backend_, c.batch, c.rows, c.lengths, c.prefixes};
  }
  template <class C, class... V>
  static seen_list seen(const C& c, const V&... v) {
    seen_list list(c.batch, c.rows);
    (list(v), ...);
    return list;
  }
  template <class C, class S>
  static seen_list written(const C& c, const S& out) {
    seen_list list(c.batch, c.rows);
    detail::written_by{list}(out, "");
    return list;
  }
  template <class T>
  static seen_list packed(const T* data, int batch, int width) {
    return seen_values::packed<T>(data, batch, width);
  }

  Backend& backend_;
  finite_observer& observer_;
};

}  // namespace trm
