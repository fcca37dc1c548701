// SPDX-License-Identifier: MIT
// The backend that computes nothing: FLOPs, launches and the largest extents of the very types that run, at compile time.
#pragma once
#include <algorithm>
#include <cstddef>

#include "trm/core/call.hpp"
#include "trm/core/tensor.hpp"
#include "trm/ops/sinks.hpp"

namespace trm {

/// Counts what a step does. FLOPs by the field's convention: matrix products and attention only, the gradient of attention twice
/// its forward pass, whatever a mask or padding would save left out.
struct count {
  double product_flops = 0, attention_flops = 0;         // 2 M N K a product
  int products = 0, attentions = 0, passes = 0;          // launches, if every sink is fused
  int element_sinks = 0, pair_sinks = 0, row_sinks = 0;  // what the products feed
  int max_product_width = 0, max_product_depth = 0;      // of v = x W^T: N and K; of gradients likewise
  int max_pass_width = 0;                                // channels
  int max_rows = 0, max_head_width = 0;                  // of attention

  constexpr double flops() const { return product_flops + attention_flops; }  // products and attention

  // The operations of ops/, each counted instead of computed.
  template <class C, class X, class T, int N, int K, class S>
  constexpr void matmul(const C& c, X, matrix<T, N, K>, S) {
    product<S>(c, N, K);
  }
  template <class C, class X, class T, int N, int K, class S>
  constexpr void matmul_bias(const C& c, X, matrix<T, N, K>, tensor<T, N>, S) {
    product<S>(c, N, K);
  }
  template <class C, class D, class T, int N, int K, class S>
  constexpr void matmul_input_gradient(const C& c, D, matrix<T, N, K>, S) {
    product<S>(c, K, N);
  }
  template <class C, class D, class X, class T, int N, int K>
  constexpr void matmul_weight_gradient(const C& c, D, X, matrix<T, N, K>) {
    product<void>(c, N, K);
  }
  template <class C, class D, class T, int N>
  constexpr void bias_gradient(const C&, D, tensor<T, N>) {
    ++passes;
  }
  template <int Heads, class Mask, class C, class Q, class O, class S>
  constexpr void attention(const C& c, Q, O, S) {
    attend(c, 4.0, O::width, Heads);
  }
  template <int Heads, class Mask, class Positions, class C, class Q, class O, class S, class D, class G>
  constexpr void attention_gradient(const C& c, Q, O, S, D, G) {
    attend(c, 8.0, O::width, Heads);
  }
  template <class C, class X, class S>
  constexpr void emit(const C&, X, S) {
    ++passes;
    max_pass_width = std::max(max_pass_width, X::width);
  }
  template <class C, class X>
  constexpr void zero(const C&, X) {
    ++passes;
  }
  template <class C, class F>
  constexpr void each_sample(const C&, F) {
    ++passes;
  }
  template <int P, int W, class... A>
  constexpr void embed(A&&...) {
    ++passes;
  }
  template <int P, int W, class... A>
  constexpr void embed_gradient(A&&...) {
    ++passes;
  }
  template <class... A>
  constexpr void add_positions(A&&...) {
    ++passes;
  }
  template <class... A>
  constexpr void positions_gradient(A&&...) {
    ++passes;
  }
  template <class... A>
  constexpr void reset(A&&...) {
    ++passes;
  }
  template <class Loss, class... A>
  constexpr void cross_entropy(A&&...) {
    ++passes;
  }

 private:
  template <class S, class C>
  constexpr void product(const C& c, int n, int k) {
    ++products;
    product_flops += 2.0 * c.batch * c.rows * n * k;
    max_product_width = std::max(max_product_width, n);
    max_product_depth = std::max(max_product_depth, k);
    if constexpr (!std::is_void_v<S>) {
      if constexpr (S::needs == sink::grain::row) {
        ++row_sinks;
      } else if constexpr (S::needs == sink::grain::pair) {
        ++pair_sinks;
      } else {
        ++element_sinks;
      }
    }
  }
  template <class C>
  constexpr void attend(const C& c, double factor, int width, int heads) {
    ++attentions;
    attention_flops += factor * c.batch * c.rows * c.rows * width;
    max_rows = std::max(max_rows, c.rows);
    max_head_width = std::max(max_head_width, width / heads);
  }
};

}  // namespace trm
