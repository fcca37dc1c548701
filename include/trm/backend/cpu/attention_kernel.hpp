// SPDX-License-Identifier: MIT
// Attention of one head and its gradient, tiled: no array of rows x rows.
#pragma once
#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "trm/backend/cpu/attention_amx.hpp"
#include "trm/backend/cpu/attention_reference.hpp"
#include "trm/backend/cpu/attention_split.hpp"
#include "trm/backend/cpu/attention_tiles.hpp"

namespace trm::cpu {

namespace detail {
/// Are heads of this width for the processor's tiles?
inline bool by_amx(int head_dim) { return detect_isa() == isa::amx && head_dim % amx::depth == 0; }
template <class T>
using amx_forward_arrays_of = std::conditional_t<std::is_same_v<T, bf16>, amx_forward_arrays, split_forward_arrays>;
template <class T>
using amx_backward_arrays_of = std::conditional_t<std::is_same_v<T, bf16>, amx_backward_arrays, split_backward_arrays>;
/// Float32 by tiles pays from about so many rows on: it fills blocks of 64 queries and 32 keys.
inline constexpr int rows_for_split_attention = 128;
#if defined(TRM_TARGET_AMX)
template <class T>
using amx_attention_of = std::conditional_t<std::is_same_v<T, bf16>, amx_attention, split_attention>;
#endif
}  // namespace detail

/// Bytes of workspace for sequences of at most `max_rows` rows, a multiple of 64.
template <class T>
std::size_t attention_forward_workspace(int max_rows, int head_dim) {
  if constexpr (std::is_same_v<T, double>) {
    return (attention_reference_workspace<T>(max_rows) + 63) / 64 * 64;
  } else {
    detail::attention_memory memory, tiles;
    detail::attention_forward_arrays(memory, max_rows, head_dim);
    if (detail::by_amx(head_dim)) detail::amx_forward_arrays_of<T>({tiles}, max_rows, head_dim);
    return std::max(memory.used, tiles.used) * sizeof(float);
  }
}
/// The same for attention_backward.
template <class T>
std::size_t attention_backward_workspace(int max_rows, int head_dim) {
  if constexpr (std::is_same_v<T, double>) {
    return (attention_reference_workspace<T>(max_rows) + 63) / 64 * 64;
  } else {
    detail::attention_memory memory, tiles;
    detail::attention_backward_arrays(memory, max_rows, head_dim);
    if (detail::by_amx(head_dim)) detail::amx_backward_arrays_of<T>({tiles}, max_rows, head_dim);
    return std::max(memory.used, tiles.used) * sizeof(float);
  }
}

/// One head of one sample:
///   o_i = sum_j softmax_j(scale * q_i . k_j) v_j over the keys j < visible(i)
///   lse_i = log sum_j exp(scale * q_i . k_j)
///
/// `visible(query)` is between 0 and `rows` and does not decrease. Where it is 0, o_i is 0 and lse_i is -infinity. Rows
/// of q, k and v are `stride` elements apart, head_dim (even) is contiguous. `lse` may be null. The workspace begins on
/// 64 bytes. `long_rows`: may sequences of this model have rows_for_split_attention rows or more? float32 is then computed otherwise,
/// whatever the length of this one. Row i is the same, bit for bit, whatever rows follow and whatever is in keys that it does not see. Sums
/// are in accumulator<T>; float64 is computed by `attention_forward_reference`.
template <class T, class Visible>
void attention_forward(const T* q, const T* k, const T* v, std::ptrdiff_t stride,  // [rows, head_dim]
                       int rows, int head_dim, accumulator<T> scale, Visible visible, T* o,
                       std::ptrdiff_t o_stride,                         // [rows, head_dim]
                       accumulator<T>* lse, std::ptrdiff_t lse_stride,  // [rows] or null
                       void* workspace, [[maybe_unused]] bool long_rows = true) {
  if constexpr (std::is_same_v<T, double>) {
    attention_forward_reference(q, k, v, stride, rows, head_dim, scale, visible, o, o_stride, lse, lse_stride,
                                workspace);
  } else {
    if (rows <= 0) return;
#if defined(TRM_TARGET_AMX)
    if (current_isa() == isa::amx && detail::by_amx(head_dim) && (long_rows || std::is_same_v<T, bf16>)) {
      return detail::amx_attention_of<T>::forward(q, k, v, stride, rows, head_dim, scale, visible, o, o_stride, lse,
                                                  lse_stride, workspace);
    }
#endif
    at_level(current_isa(), [&](auto level) {
      detail::attention_tiles<level.value, T>::forward(q, k, v, stride, rows, head_dim, scale, visible, o, o_stride,
                                                       lse, lse_stride, workspace);
    });
  }
}

/// The gradients of `attention_forward`, from its results and d_o. With p_ij = exp(scale * q_i . k_j - lse_i), computed
/// again, and delta_i = d_o_i . o_i:
///   ds_ij = scale * p_ij (d_o_i . v_j - delta_i)
///   dq_i = sum_j ds_ij k_j,  dk_j = sum_i ds_ij q_i,  dv_j = sum_i p_ij d_o_i
/// (Dao et al., arXiv 2205.14135). dq, dk and dv are overwritten.
template <class T, class Visible>
void attention_backward(const T* q, const T* k, const T* v, std::ptrdiff_t stride,  // [rows, head_dim]
                        int rows, int head_dim, accumulator<T> scale, Visible visible, const T* o, const T* d_o,
                        std::ptrdiff_t o_stride,                                     // [rows, head_dim]
                        const accumulator<T>* lse, std::ptrdiff_t lse_stride,        // [rows]
                        accumulator<T>* dq, accumulator<T>* dk, accumulator<T>* dv,  // [rows, head_dim], contiguous
                        void* workspace, [[maybe_unused]] bool long_rows = true) {
  if constexpr (std::is_same_v<T, double>) {
    attention_backward_reference(q, k, v, stride, rows, head_dim, scale, visible, o, d_o, o_stride, lse, lse_stride, dq,
                                 dk, dv, workspace);
  } else {
    if (rows <= 0) return;
#if defined(TRM_TARGET_AMX)
    if (current_isa() == isa::amx && detail::by_amx(head_dim) && (long_rows || std::is_same_v<T, bf16>)) {
      return detail::amx_attention_of<T>::backward(q, k, v, stride, rows, head_dim, scale, visible, o, d_o, o_stride,
                                                   lse, lse_stride, dq, dk, dv, workspace);
    }
#endif
    at_level(current_isa(), [&](auto level) {
      detail::attention_tiles<level.value, T>::backward(q, k, v, stride, rows, head_dim, scale, visible, o, d_o,
                                                        o_stride, lse, lse_stride, dq, dk, dv, workspace);
    });
  }
}

}  // namespace trm::cpu
