// SPDX-License-Identifier: MIT
// Rows on a device: views as kernels see them, a few rows in shared memory, and the kernel that gives rows to a sink.
//
// A view loses its extents on the way to a kernel: models of other widths then run the same code, and no kernel's type mentions a
// constant of class type, which nvcc cannot spell in a launch.
#pragma once
#include <cstddef>

#include "trm/backend/cuda/block.hpp"
#include "trm/core/hd.hpp"
#include "trm/core/numerics.hpp"
#include "trm/core/view.hpp"

namespace trm::cuda::detail {

/// Where a row belongs: sample and row.
struct row_place {
  int sample, row;
};

/// A view without extents: channel i of row r of sample b at data[b * sample + r * row + i * channel].
template <class T, layout Order>
struct strided_view {
  using value_type = T;
  static constexpr layout order = Order;
  T* data = nullptr;
  std::ptrdiff_t sample = 0;
  int row = 0, channel = 1;

  TRM_HD T& at(row_place p, int i) const {
    T* start = data + p.sample * sample + static_cast<std::ptrdiff_t>(p.row) * row;
    if constexpr (Order == layout::channels_last) {
      return start[i];
    } else {
      return start[static_cast<std::ptrdiff_t>(i) * channel];
    }
  }
};

/// Is it there? (absent is not)
template <class V>
inline constexpr bool is_present = false;
template <class T, layout Order>
inline constexpr bool is_present<strided_view<T, Order>> = true;

/// A view in a call of `rows` rows.
template <class T, int R, int W, layout Order>
strided_view<T, Order> strided(const view<T, R, W, Order>& v, int rows) {
  const strides s = v.steps(rows);
  return {v.data, s.sample, static_cast<int>(s.row), static_cast<int>(s.channel)};
}
inline absent strided(absent, int) { return {}; }

/// A few rows of n channels in shared memory, on their way from a source to a sink.
template <class Block, class A>
struct row_tile {
  Block& block;
  A* data;       // row r at data + r * pitch
  int pitch;     // odd: neither a row nor a column meets itself in a bank
  int count, n;  // rows, channels
  int first;     // the number of row 0 among all rows of all samples
  int rows_of_sample;

  TRM_HD A* row(int r) const { return data + static_cast<std::ptrdiff_t>(r) * pitch; }
  TRM_HD row_place place(int r) const {
    const int number = first + r;
    return {number / rows_of_sample, number % rows_of_sample};
  }
};

/// f(place, row in the tile, channel) for every row and the channels below n, then a barrier. Neighbouring threads are neighbours in
/// memory of views of this order: a warp is given a row, or a channel of as many rows.
template <layout Order, class Tile, class F>
TRM_HD void each(const Tile& t, int n, F f) {
  const int lane = lane_of(t.block), warp = warp_of(t.block), warps = warps_of(t.block);
  if constexpr (Order == layout::channels_last) {
    for (int r = warp; r < t.count; r += warps) {
      const row_place p = t.place(r);
      for (int i = lane; i < n; i += warp_size) f(p, t.row(r), i);
    }
  } else {
    for (int r = lane; r < t.count; r += warp_size) {
      const row_place p = t.place(r);
      for (int i = warp; i < n; i += warps) f(p, t.row(r), i);
    }
  }
  t.block.sync();
}

/// f(place, row in the tile, lane) for every row, called by all threads of one warp; then a barrier.
template <class Tile, class F>
TRM_HD void each_row(const Tile& t, F f) {
  for (int r = warp_of(t.block); r < t.count; r += warps_of(t.block)) f(t.place(r), t.row(r), lane_of(t.block));
  t.block.sync();
}

/// The rows of a view.
template <class V>
struct rows_of_view {
  V x;
  template <class Tile>
  TRM_HD void load(const Tile& t, int /*number*/) const {
    each<V::order>(t, t.n, [&](row_place p, auto* v, int i) {
      using A = std::remove_pointer_t<decltype(v)>;
      v[i] = static_cast<A>(x.at(p, i));
    });
  }
};

/// Rows of zeros.
struct rows_of_zeros {
  template <class Tile>
  TRM_HD void load(const Tile& t, int /*number*/) const {
    each<layout::channels_last>(t, t.n, [](row_place, auto* v, int i) { v[i] = 0; });
  }
};

/// The result of a product, rows `pitch` apart, and a bias, rounded to the compute type T, where there is one.
template <class T>
struct rows_of_product {
  using A = accumulator<T>;
  const A* data;
  std::ptrdiff_t pitch;
  const A* bias;  // [n] or null

  /// `number`: of the tile's first row in the product.
  template <class Tile>
  TRM_HD void load(const Tile& t, int number) const {
    for (int r = warp_of(t.block); r < t.count; r += warps_of(t.block)) {
      const A* from = data + static_cast<std::ptrdiff_t>(number + r) * pitch;
      A* v = t.row(r);
      for (int i = lane_of(t.block); i < t.n; i += warp_size) {
        v[i] = bias == nullptr ? from[i] : from[i] + static_cast<A>(static_cast<T>(bias[i]));
      }
    }
    t.block.sync();
  }
};

/// Gives rows [first, first + total) of all samples to a sink, a few in each block.
template <class A, class Source, class Sink>
struct rows_kernel {
  Source source;
  Sink sink;
  int first, total, rows_of_sample, n, at_once;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const int number = b.index() * at_once, left = total - number;
    const row_tile<Block, A> t{b, b.template shared<A>(), n | 1,         left < at_once ? left : at_once,
                               n, first + number,         rows_of_sample};
    source.load(t, number);
    put(sink, t);
  }
};

/// How many rows a block is given, and its threads.
struct rows_shape {
  int at_once, threads;
};
/// Does one row of n channels of `bytes` each fit a block?
constexpr bool row_fits(int n, int bytes) {
  return static_cast<std::size_t>(n | 1) * static_cast<std::size_t>(bytes) <= most_shared;
}
/// For rows of n channels of `bytes` each. `across`: some views have their rows, not their channels, side by side.
constexpr rows_shape shape_of_rows(int n, int bytes, bool across) {
  const long long row = static_cast<long long>(n | 1) * bytes;
  int rows = across ? 32 : 8;
  while (rows > 1 && rows * row > (across ? 96 : 40) * 1024) rows /= 2;
  return {rows, across ? 256 : rows * warp_size};
}

}  // namespace trm::cuda::detail
