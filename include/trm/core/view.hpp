// SPDX-License-Identifier: MIT
// Views of activations: static extents, a pointer, nothing else. Run-time extents are in the call.
#pragma once
#include <cstddef>

#include "trm/core/hd.hpp"
#include "trm/core/shape.hpp"

namespace trm {

/// Distances in elements between neighbouring samples, rows and channels.
struct strides {
  std::ptrdiff_t sample, row, channel;  // in elements
};

/// One kind of activation for a batch: at most `Rows` rows of `Width` channels for each sample. How many rows there are is
/// said by the call, so a shorter sequence lies packed in the same memory.
template <class T, int Rows, int Width, layout Order = layout::channels_last>
struct view {
  using value_type = T;  // of the elements
  /// The extents of a sample, and which axis is contiguous.
  static constexpr int max_rows = Rows, width = Width;
  // Likewise.
  static constexpr layout order = Order;
  /// Bytes of one sample.
  static constexpr std::size_t bytes = sizeof(T) * static_cast<std::size_t>(Rows) * static_cast<std::size_t>(Width);

  T* data = nullptr;  // the first sample's first element
  int pitch = 0;      // rows a sample has in memory where this view is a slice of it; 0: as many as the call says

  /// Where element (sample b, row r, channel c) is, when the call has `rows` rows: data[b*sample + r*row + c*channel].
  TRM_HD constexpr strides steps(int rows) const {
    const std::ptrdiff_t stored = pitch != 0 ? pitch : rows;
    if constexpr (Order == layout::channels_last) {
      return {stored * Width, Width, 1};
    } else {
      return {stored * Width, 1, stored};
    }
  }
  TRM_HD constexpr T& at(int rows, int b, int r, int c) const {
    const strides s = steps(rows);
    return data[b * s.sample + r * s.row + c * s.channel];
  }
  /// The rows from `first` on, of samples that have `stored` rows in memory.
  TRM_HD constexpr view from_row(int first, int stored) const {
    static_assert(Order == layout::channels_last, "view: only rows of a channels_last view can be sliced");
    return {data == nullptr ? nullptr : data + static_cast<std::ptrdiff_t>(first) * Width, stored};
  }
  /// The samples from `first` on, where every sample has `rows` rows.
  TRM_HD constexpr view from_sample(int first, int rows) const {
    return {data == nullptr ? nullptr : data + first * steps(rows).sample, pitch};
  }
};

/// The same memory with rows and channels exchanged: no copy. The sample must be complete (rows = Rows).
template <class T, int R, int W, layout O>
TRM_HD constexpr auto flip(view<T, R, W, O> v) {
  return view < T, W, R,
         O == layout::channels_last ? layout::channels_first : layout::channels_last > {v.data, v.pitch};
}

/// A view that is not there.
struct absent {
  template <class F>
  constexpr void fields(F&&) {}
};
/// Nothing stays nothing.
TRM_HD constexpr absent flip(absent) { return {}; }

/// Is the type a view?
template <class V>
inline constexpr bool is_view = false;
template <class T, int R, int W, layout O>
inline constexpr bool is_view<view<T, R, W, O>> = true;

}  // namespace trm
