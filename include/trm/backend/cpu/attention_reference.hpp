// SPDX-License-Identifier: MIT
// Attention of one head as plain loops: the oracle of the tiled kernel, and what computes float64.
#pragma once
#include <cmath>
#include <cstddef>

#include "trm/core/numerics.hpp"

namespace trm::cpu {

/// Bytes of the workspace of `attention_forward_reference` and `attention_backward_reference`: two rows of scores.
template <class T>
constexpr std::size_t attention_reference_workspace(int max_rows) {
  return 2 * sizeof(accumulator<T>) * static_cast<std::size_t>(max_rows);
}

/// See `attention_forward`.
template <class T, class Visible>
void attention_forward_reference(const T* q, const T* k, const T* v, std::ptrdiff_t stride, int rows, int head_dim,
                                 accumulator<T> scale, Visible visible, T* o, std::ptrdiff_t o_stride,
                                 accumulator<T>* lse, std::ptrdiff_t lse_stride, void* workspace) {
  using A = accumulator<T>;
  A* p = static_cast<A*>(workspace);
  for (int i = 0; i < rows; ++i) {
    const int keys = visible(i);
    A largest = -INFINITY;
    for (int j = 0; j < keys; ++j) {
      A s = 0;
      for (int c = 0; c < head_dim; ++c) s += A(q[i * stride + c]) * A(k[j * stride + c]);
      p[j] = scale * s;
      largest = p[j] > largest ? p[j] : largest;
    }
    A sum = 0;
    for (int j = 0; j < keys; ++j) sum += p[j] = std::exp(p[j] - largest);
    for (int c = 0; c < head_dim; ++c) {
      A value = 0;
      for (int j = 0; j < keys; ++j) value += p[j] * A(v[j * stride + c]);
      o[i * o_stride + c] = T(keys > 0 ? value / sum : A(0));
    }
    if (lse != nullptr) lse[i * lse_stride] = largest + std::log(sum);
  }
}

/// See `attention_backward`.
template <class T, class Visible>
void attention_backward_reference(const T* q, const T* k, const T* v, std::ptrdiff_t stride, int rows, int head_dim,
                                  accumulator<T> scale, Visible visible, const T* o, const T* d_o,
                                  std::ptrdiff_t o_stride, const accumulator<T>* lse, std::ptrdiff_t lse_stride,
                                  accumulator<T>* dq, accumulator<T>* dk, accumulator<T>* dv, void* /*workspace*/) {
  using A = accumulator<T>;
  const std::ptrdiff_t size = static_cast<std::ptrdiff_t>(rows) * head_dim;
  for (std::ptrdiff_t i = 0; i < size; ++i) dq[i] = dk[i] = dv[i] = 0;
  for (int i = 0; i < rows; ++i) {
    A delta = 0;  // sum_j p_ij (d_o_i . v_j) = d_o_i . o_i
    for (int c = 0; c < head_dim; ++c) delta += A(d_o[i * o_stride + c]) * A(o[i * o_stride + c]);
    const int keys = visible(i);
    for (int j = 0; j < keys; ++j) {
      A s = 0, dp = 0;
      for (int c = 0; c < head_dim; ++c) {
        s += A(q[i * stride + c]) * A(k[j * stride + c]);
        dp += A(d_o[i * o_stride + c]) * A(v[j * stride + c]);
      }
      const A p = std::exp(scale * s - lse[i * lse_stride]);
      const A ds = scale * p * (dp - delta);
      for (int c = 0; c < head_dim; ++c) {
        dq[static_cast<std::ptrdiff_t>(i) * head_dim + c] += ds * A(k[j * stride + c]);
        dk[static_cast<std::ptrdiff_t>(j) * head_dim + c] += ds * A(q[i * stride + c]);
        dv[static_cast<std::ptrdiff_t>(j) * head_dim + c] += p * A(d_o[i * o_stride + c]);
      }
    }
  }
}

}  // namespace trm::cpu
