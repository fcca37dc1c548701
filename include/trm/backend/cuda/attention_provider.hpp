// SPDX-License-Identifier: MIT
// Attention by a library, in place of the kernels of attention.hpp, where there is one and it computes what is asked for.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>

#include "trm/core/bf16.hpp"

namespace trm::cuda {

/// Channel i of row r of head h of sample b is at data[b * sample + r * row + h * width + i], width being that of a head.
template <class T>
struct attention_rows {
  T* data = nullptr;                   // in device memory
  std::ptrdiff_t sample = 0, row = 0;  // in elements
};

/// Attention of every head of a batch in bf16, all rows of which count: o_i = sum_j softmax_j(scale q_i . k_j) v_j over all j, or,
/// causal, over j <= i.
struct attention_task {
  int samples = 0, heads = 0, rows = 0, width = 0;  // width: channels of a head
  bool causal = false;
  float scale = 1;
  attention_rows<const bf16> q, k, v;  // read
  attention_rows<bf16> o;              // written
  float* statistics =
      nullptr;  // [samples, heads, rows], what the gradient wants to know of the softmax; null: there will be none
};

/// Its gradient, of the same arrays and statistics.
struct attention_gradient_task {
  attention_task of;                // o is read
  attention_rows<const bf16> d_o;   // [samples, rows, heads * width]
  attention_rows<bf16> dq, dk, dv;  // written
};

/// A library's attention. What it computes is the same, bit for bit, every time; what it is asked for may be captured, after it has been
/// done once. All throw trm::error.
class attention_provider {
 public:
  virtual ~attention_provider() = default;
  /// Does it compute this, and its gradient? A function of the extents, strides and alignment alone.
  virtual bool takes(const attention_task& t) const = 0;
  /// Writes o, and statistics where they are wanted.
  virtual void forward(const attention_task& t) = 0;
  /// Writes dq, dk, dv.
  virtual void backward(const attention_gradient_task& t) = 0;
};

/// A device that may have such a library: null where it has none.
template <class D>
concept attention_device = requires(const D& d) {
  { d.attention() } -> std::same_as<attention_provider*>;
};

namespace detail {

/// On a boundary of 16 bytes, as are all rows and samples: what tensor cores load.
template <class T>
bool aligned_to_16_bytes(const attention_rows<T>& x) {
  constexpr std::ptrdiff_t elements = 16 / sizeof(T);
  return reinterpret_cast<std::uintptr_t>(x.data) % 16 == 0 && x.sample % elements == 0 && x.row % elements == 0;
}

}  // namespace detail

}  // namespace trm::cuda
