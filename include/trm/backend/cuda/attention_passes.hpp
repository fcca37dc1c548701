// SPDX-License-Identifier: MIT
// What the context of a device does for attention: by the device's library, where it has one that takes it, or by our own kernels.
#pragma once
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "trm/backend/cuda/attention.hpp"
#include "trm/backend/cuda/attention_provider.hpp"
#include "trm/backend/cuda/passes.hpp"
#include "trm/backend/cuda/rotations.hpp"
#include "trm/ops/attention.hpp"

namespace trm::cuda {

/// The part of a context that knows heads.
template <class Device>
class attention_passes : public passes<Device> {
 public:
  /// See ops::attention.
  template <int Heads, class Mask, class C, class Q, class O, class S>
  void attention(const C& c, Q qkv, O o, S lse) {
    using T = typename Q::value_type;
    using A = accumulator<T>;
    constexpr int d = O::width / Heads;
    using kernel = detail::attention_kernel<T, Mask, d>;
    detail::head_rows<A> statistics{nullptr, 0, 0};
    if constexpr (is_view<S>) statistics = heads_of(lse, c.rows);
    if constexpr (may_have_library<T, Mask>) {
      const attention_task t = task_of<Heads, Mask, d>(c, heads_of(qkv, c.rows), heads_of(o, c.rows), statistics);
      if (by_library(c, t, statistics)) return device_.attention()->forward(t);
    }
    device_.launch(kernel{extent_of<Heads>(c), as_const(heads_of(qkv, c.rows)), heads_of(o, c.rows), statistics,
                          A(1) / std::sqrt(A(d))},
                   c.batch * Heads * detail::attention_blocks(c.rows), detail::attention_threads, kernel::shared);
  }
  /// See ops::attention_gradient.
  template <int Heads, class Mask, class Positions, class C, class Q, class O, class S, class Do, class G>
  void attention_gradient(const C& c, Q qkv, O o, S lse, Do d_o, G dqkv) {
    using T = typename Q::value_type;
    using A = accumulator<T>;
    constexpr int d = O::width / Heads;
    const float *cosine = nullptr, *sine = nullptr;
    if constexpr (Positions::rotates) {
      cosine = tables_.template table<Positions, Q::max_rows, d>();
      sine = cosine + static_cast<std::ptrdiff_t>(Q::max_rows) * (d / 2);
    }
    if constexpr (may_have_library<T, Mask>) {
      const attention_task t =
          task_of<Heads, Mask, d>(c, heads_of(qkv, c.rows), heads_of(o, c.rows), heads_of(lse, c.rows));
      if (by_library(c, t, heads_of(lse, c.rows))) {
        const auto to = heads_of(dqkv, c.rows);
        const auto rows_at = [&](int part) { return rows_of(to, part * Heads * d); };
        device_.attention()->backward(
            {t, rows_of(as_const(heads_of(d_o, c.rows)), 0), rows_at(0), rows_at(1), rows_at(2)});
        if (cosine != nullptr) {
          device_.launch(detail::turn_back_kernel<T>{to, c.rows, Heads, d / 2, cosine, sine}, c.batch * c.rows,
                         row_threads, 0);
        }
        return;
      }
    }
    const detail::attention_gradient_data<T, Mask, d> g{extent_of<Heads>(c),
                                                        as_const(heads_of(qkv, c.rows)),
                                                        as_const(heads_of(o, c.rows)),
                                                        as_const(heads_of(d_o, c.rows)),
                                                        as_const(heads_of(lse, c.rows)),
                                                        heads_of(dqkv, c.rows),
                                                        A(1) / std::sqrt(A(d)),
                                                        cosine,
                                                        sine};
    const int blocks = c.batch * Heads * detail::attention_blocks(c.rows);
    using for_queries = detail::query_gradient_kernel<T, Mask, d>;
    using for_keys = detail::key_gradient_kernel<T, Mask, d>;
    device_.launch(for_keys{g}, blocks, detail::attention_threads, for_keys::shared);
    device_.launch(for_queries{g}, blocks, detail::attention_threads, for_queries::shared);
  }

 protected:
  using passes<Device>::device_;
  using passes<Device>::row_threads;

  /// On this device.
  explicit attention_passes(Device& d) : passes<Device>(d), tables_(d) {}

  rotation_tables<Device> tables_;  // of sequences of every length and width that was asked for

 private:
  /// May the device's library compute attention of T under this mask? It does where every row sees the same as it would without lengths
  /// and prefixes, and where the library takes the shape.
  template <class T, class Mask>
  static constexpr bool may_have_library = std::is_same_v<T, bf16>&& attention_device<Device> &&
                                           (std::is_same_v<Mask, bidirectional> || std::is_same_v<Mask, causal>);
  template <class C>
  bool by_library(const C& c, const attention_task& t, const detail::head_rows<float>& lse) const {
    // its statistics lie in the memory of ours, and take all of it
    const bool fits = lse.data == nullptr || lse.sample == static_cast<std::ptrdiff_t>(t.rows) * t.heads;
    return fits && c.lengths == nullptr && c.prefixes == nullptr && device_.attention() != nullptr &&
           device_.attention()->takes(t);
  }
  template <int Heads, class Mask, int Width, class C, class Q, class O>
  static attention_task task_of(const C& c, const detail::head_rows<Q>& qkv, const detail::head_rows<O>& o,
                                const detail::head_rows<float>& lse) {
    constexpr int all = Heads * Width;
    const auto in = as_const(qkv);
    return {c.batch,
            Heads,
            c.rows,
            Width,
            std::is_same_v<Mask, causal>,
            1 / std::sqrt(static_cast<float>(Width)),
            rows_of(in, 0),
            rows_of(in, all),
            rows_of(in, 2 * all),
            {const_cast<bf16*>(o.data), o.sample, o.row},  // of a gradient it is read
            lse.data};
  }
  template <class T>
  static attention_rows<T> rows_of(const detail::head_rows<T>& x, int first) {
    return {x.data + first, x.sample, x.row};
  }
  template <int Heads, class C>
  static detail::attention_extent extent_of(const C& c) {
    return {c.rows, Heads, c.lengths, c.prefixes};
  }
  template <class T, int R, int W, layout Order>
  static detail::head_rows<T> heads_of(const view<T, R, W, Order>& v, int rows) {
    static_assert(Order == layout::channels_last, "attention: the channels of a head must lie together");
    const strides s = v.steps(rows);
    return {v.data, s.sample, static_cast<int>(s.row)};
  }
  template <class T>
  static detail::head_rows<const T> as_const(detail::head_rows<T> h) {
    return {h.data, h.sample, h.row};
  }
};

}  // namespace trm::cuda
