// SPDX-License-Identifier: MIT
// Matrix products with a sink, and their gradients.
#pragma once
#include "trm/core/call.hpp"
#include "trm/core/tensor.hpp"
#include "trm/ops/sinks.hpp"

namespace trm::ops {

/// v = x W^T
template <class B, class X, class T, int N, int K, class Sink>
constexpr void matmul(const call<B>& c,
                      X x,                // [B, rows, K]
                      matrix<T, N, K> w,  // [N, K]
                      Sink out) {         // receives [B, rows, N]
  static_assert(X::width == K, "matmul: the width of the input is not the one the weight was made for");
  c.backend.matmul(c, x, w, out);
}

/// v = x W^T + bias
template <class B, class X, class T, int N, int K, class Sink>
constexpr void matmul(const call<B>& c,
                      X x,                // [B, rows, K]
                      matrix<T, N, K> w,  // [N, K]
                      tensor<T, N> bias,  // [N]
                      Sink out) {         // receives [B, rows, N]
  static_assert(X::width == K, "matmul: the width of the input is not the one the weight was made for");
  c.backend.matmul_bias(c, x, w, bias, out);
}

/// The gradient of x: v = d W
template <class B, class D, class T, int N, int K, class Sink>
constexpr void matmul_input_gradient(const call<B>& c,
                                     D d,                // [B, rows, N]
                                     matrix<T, N, K> w,  // [N, K]
                                     Sink out) {         // receives [B, rows, K]
  static_assert(D::width == N, "matmul_input_gradient: the width of the gradient is not the one of the product");
  c.backend.matmul_input_gradient(c, d, w, out);
}

/// The gradient of W, added to what is there: dW += sum over samples and rows of d^T x
template <class B, class D, class X, class T, int N, int K>
constexpr void matmul_weight_gradient(const call<B>& c,
                                      D d,                   // [B, rows, N]
                                      X x,                   // [B, rows, K]
                                      matrix<T, N, K> dw) {  // [N, K]
  static_assert(D::width == N && X::width == K, "matmul_weight_gradient: the widths do not fit the weight");
  c.backend.matmul_weight_gradient(c, d, x, dw);
}

/// The gradient of a bias: db += sum over samples and rows of d
template <class B, class D, class T, int N>
constexpr void bias_gradient(const call<B>& c,
                             D d,                // [B, rows, N]
                             tensor<T, N> db) {  // [N]
  static_assert(D::width == N, "bias_gradient: the widths do not fit");
  c.backend.bias_gradient(c, d, db);
}

}  // namespace trm::ops
