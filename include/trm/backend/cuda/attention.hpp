// SPDX-License-Identifier: MIT
// Attention on a device: tiles of queries and keys in shared memory, softmax statistics in float32, nothing of size rows x rows.
//
// Four neighbouring threads work on one query (or, for dk and dv, on one key): of a tile's scores, and of its channels, each takes every
// fourth. A row's sums run over the keys that it sees, in order, and over nothing else: they do not depend on what follows.
#pragma once
#include <cmath>
#include <cstddef>

#include "trm/backend/cuda/block.hpp"
#include "trm/backend/cuda/sinks.hpp"
#include "trm/core/numerics.hpp"

namespace trm::cuda::detail {

/// Queries and keys of a tile, threads of each, and of a block.
inline constexpr int attention_tile = 32, attention_parts = 4, attention_threads = attention_tile * attention_parts;
/// Blocks that a call of `rows` rows takes for each head of a sample.
constexpr int attention_blocks(int rows) { return (rows + attention_tile - 1) / attention_tile; }

/// One head's rows in a view: channel i of row r of sample b at data[b * sample + r * row + i].
template <class T>
struct head_rows {
  T* data;
  std::ptrdiff_t sample;
  int row;

  /// The rows of head `h` of sample `b`, `width` channels a head.
  TRM_HD T* of(int b, int h, int width) const { return data + b * sample + static_cast<std::ptrdiff_t>(h) * width; }
};

/// The run-time extents of a call.
struct attention_extent {
  int rows, heads;
  const int *lengths, *prefixes;  // [batch] or null

  /// Keys that row `query` of sample `b` sees.
  template <class Mask>
  TRM_HD int visible(int b, int query) const {
    return Mask::visible(query, lengths != nullptr ? lengths[b] : rows, prefixes != nullptr ? prefixes[b] : 0);
  }
};

/// A block's place: sample, head, tile; and the thread's: row of the tile, and which part of its channels.
struct attention_place {
  int sample, head, first, row, part;

  template <class Block>
  TRM_HD attention_place(const Block& b, const attention_extent& e) {
    const int tiles = attention_blocks(e.rows), which = b.index() / tiles;
    sample = which / e.heads, head = which % e.heads, first = b.index() % tiles * attention_tile;
    row = b.thread() / attention_parts, part = b.thread() % attention_parts;
  }
};

/// Rows of Width channels, one beside the other in shared memory, so that neither rows nor channels meet in a bank.
template <class A, int Width>
struct shared_rows {
  static constexpr int pitch = Width | 1, size = attention_tile * pitch;
  A* data;

  TRM_HD A* operator[](int r) const { return data + r * pitch; }
  /// Loads rows [first, first + attention_tile) of those below `rows`; the others become 0.
  template <class Block, class T>
  TRM_HD void load(Block& b, const T* from, int row, int first, int rows) const {
    for (int i = b.thread(); i < attention_tile * Width; i += b.threads()) {
      const int r = i / Width, c = i % Width;
      data[r * pitch + c] =
          first + r < rows ? static_cast<A>(from[static_cast<std::ptrdiff_t>(first + r) * row + c]) : A(0);
    }
  }
};

/// The sum of x[i] * y[i] over Width channels.
template <int Width, class A>
TRM_HD A dot(const A* x, const A* y) {
  A sum = 0;
  for (int i = 0; i < Width; ++i) sum += x[i] * y[i];
  return sum;
}

/// Channels that one of the threads of a row has.
template <int Width>
inline constexpr int channels_of_thread = (Width + attention_parts - 1) / attention_parts;

/// f(c, i) for the channels i of thread `part` of a row, the c-th that it has. So often as a constant says: what is kept for each channel
/// is then in a register.
template <int Width, class F>
TRM_HD void each_channel(int part, F f) {
  for (int c = 0; c < channels_of_thread<Width>; ++c) {
    const int i = c * attention_parts + part;
    if (Width % attention_parts == 0 || i < Width) f(c, i);
  }
}

/// o and lse of one tile of queries of one head. Dao et al., arXiv 2205.14135.
template <class T, class Mask, int Width>
struct attention_kernel {
  using A = accumulator<T>;
  using rows = shared_rows<A, Width>;
  static constexpr std::size_t shared = sizeof(A) * (3 * rows::size + shared_rows<A, attention_tile>::size);
  static_assert(shared <= most_shared, "attention: rows of heads so wide do not fit a block's shared memory");

  attention_extent e;
  head_rows<const T> qkv;  // k and v follow q at heads * Width and 2 * heads * Width
  head_rows<T> o;
  head_rows<A> lse;  // data may be null
  A scale;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const attention_place at(b, e);
    A* memory = b.template shared<A>();
    const rows q{memory}, k{memory + rows::size}, v{memory + 2 * rows::size};
    A* p = shared_rows<A, attention_tile>{memory + 3 * rows::size}[at.row];
    const int query = at.first + at.row, last = at.first + attention_tile < e.rows ? at.first + attention_tile : e.rows;
    const int seen = query < e.rows ? e.visible<Mask>(at.sample, query) : 0;
    const int end = e.visible<Mask>(at.sample, last - 1);  // of the keys that any query of the tile sees
    const T* from = qkv.of(at.sample, at.head, Width);
    const int k_at = e.heads * Width;

    A top = -INFINITY, sum = 0, out[channels_of_thread<Width>] = {};
    q.load(b, from, qkv.row, at.first, e.rows);
    for (int first = 0; first < end; first += attention_tile) {
      b.sync();
      k.load(b, from + k_at, qkv.row, first, e.rows);
      v.load(b, from + 2 * k_at, qkv.row, first, e.rows);
      b.sync();
      const int count = seen - first < attention_tile ? seen - first : attention_tile;
      A largest = top;
      for (int j = at.part; j < count; j += attention_parts) {
        p[j] = scale * dot<Width>(q[at.row], k[j]);
        largest = p[j] > largest ? p[j] : largest;
      }
      largest = warp_max<attention_parts>(b, largest);
      const A shrink = largest > top ? std::exp(top - largest) : A(1);
      A added = 0;
      for (int j = at.part; j < count; j += attention_parts) added += p[j] = std::exp(p[j] - largest);
      sum = sum * shrink + warp_sum<attention_parts>(b, added);
      top = largest;
      b.warp_sync();
      each_channel<Width>(at.part, [&](int c, int) { out[c] *= shrink; });
      for (int j = 0; j < count; ++j) each_channel<Width>(at.part, [&](int c, int i) { out[c] += p[j] * v[j][i]; });
    }
    if (query >= e.rows) return;
    T* to = o.of(at.sample, at.head, Width) + static_cast<std::ptrdiff_t>(query) * o.row;
    each_channel<Width>(at.part, [&](int c, int i) { to[i] = static_cast<T>(seen > 0 ? out[c] / sum : A(0)); });
    if (lse.data != nullptr && at.part == 0) {
      lse.of(at.sample, at.head, 1)[static_cast<std::ptrdiff_t>(query) * lse.row] = top + std::log(sum);
    }
  }
};

/// What the two kernels of the gradient read and write. With p_ij = exp(scale q_i . k_j - lse_i), delta_i = d_o_i . o_i and
/// ds_ij = scale p_ij (d_o_i . v_j - delta_i): dq_i = sum_j ds_ij k_j, dk_j = sum_i ds_ij q_i, dv_j = sum_i p_ij d_o_i.
/// dq and dk are turned back by their position where there are tables.
template <class T, class Mask, int Width>
struct attention_gradient_data {
  using A = accumulator<T>;
  attention_extent e;
  head_rows<const T> qkv, o, d_o;
  head_rows<const A> lse;
  head_rows<T> dqkv;
  A scale;
  const float *cosine, *sine;  // [rows, Width / 2] or null

  /// Stores the tile's rows of a gradient, `part` 0, 1, 2 for q, k, v, from shared memory.
  template <class Block>
  TRM_HD void store(Block& b, const attention_place& at, shared_rows<A, Width> from, int part) const {
    const int left = e.rows - at.first, count = left < attention_tile ? left : attention_tile;
    if (part < 2 && cosine != nullptr) {
      constexpr int pairs = Width / 2;
      for (int i = b.thread(); i < count * pairs; i += b.threads()) {
        turn(from[i / pairs], i % pairs, at.first + i / pairs, cosine, sine, pairs, A(-1));
      }
      b.sync();
    }
    T* to = dqkv.of(at.sample, at.head, Width) + part * e.heads * Width;
    for (int i = b.thread(); i < count * Width; i += b.threads()) {
      to[static_cast<std::ptrdiff_t>(at.first + i / Width) * dqkv.row + i % Width] =
          static_cast<T>(from[i / Width][i % Width]);
    }
  }
  /// delta of the row `at.row` of the tile that begins at row `first`, the same in its four threads; 0 beyond the rows.
  template <class Block>
  TRM_HD A delta(Block& b, const attention_place& at, int first) const {
    A part = 0;
    if (first + at.row < e.rows) {
      const std::ptrdiff_t row = first + at.row;
      const T *x = o.of(at.sample, at.head, Width) + row * o.row,
              *y = d_o.of(at.sample, at.head, Width) + row * d_o.row;
      for (int i = at.part; i < Width; i += attention_parts) part += static_cast<A>(x[i]) * static_cast<A>(y[i]);
    }
    return warp_sum<attention_parts>(b, part);
  }
  TRM_HD A lse_of(const attention_place& at, int query) const {
    return lse.of(at.sample, at.head, 1)[static_cast<std::ptrdiff_t>(query) * lse.row];
  }
};

/// dq of one tile of queries.
template <class T, class Mask, int Width>
struct query_gradient_kernel {
  using A = accumulator<T>;
  using rows = shared_rows<A, Width>;
  static constexpr std::size_t shared = sizeof(A) * (4 * rows::size + shared_rows<A, attention_tile>::size);
  static_assert(shared <= most_shared, "attention: rows of heads so wide do not fit a block's shared memory");

  attention_gradient_data<T, Mask, Width> g;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const attention_extent& e = g.e;
    const attention_place at(b, e);
    A* memory = b.template shared<A>();
    const rows q{memory}, k{memory + rows::size}, v{memory + 2 * rows::size}, d_o{memory + 3 * rows::size};
    A* ds = shared_rows<A, attention_tile>{memory + 4 * rows::size}[at.row];
    const int query = at.first + at.row, last = at.first + attention_tile < e.rows ? at.first + attention_tile : e.rows;
    const int seen = query < e.rows ? e.visible<Mask>(at.sample, query) : 0;
    const int end = e.visible<Mask>(at.sample, last - 1), k_at = e.heads * Width;
    const T* from = g.qkv.of(at.sample, at.head, Width);

    q.load(b, from, g.qkv.row, at.first, e.rows);
    d_o.load(b, g.d_o.of(at.sample, at.head, Width), g.d_o.row, at.first, e.rows);
    const A delta = g.delta(b, at, at.first), lse = seen > 0 ? g.lse_of(at, query) : A(0);
    A dq[channels_of_thread<Width>] = {};
    for (int first = 0; first < end; first += attention_tile) {
      b.sync();
      k.load(b, from + k_at, g.qkv.row, first, e.rows);
      v.load(b, from + 2 * k_at, g.qkv.row, first, e.rows);
      b.sync();
      const int count = seen - first < attention_tile ? seen - first : attention_tile;
      for (int j = at.part; j < count; j += attention_parts) {
        const A p = std::exp(g.scale * dot<Width>(q[at.row], k[j]) - lse);
        ds[j] = g.scale * p * (dot<Width>(d_o[at.row], v[j]) - delta);
      }
      b.warp_sync();
      for (int j = 0; j < count; ++j) each_channel<Width>(at.part, [&](int c, int i) { dq[c] += ds[j] * k[j][i]; });
    }
    b.sync();
    each_channel<Width>(at.part, [&](int c, int i) { q[at.row][i] = dq[c]; });
    b.sync();
    g.store(b, at, q, 0);
  }
};

/// dk and dv of one tile of keys.
template <class T, class Mask, int Width>
struct key_gradient_kernel {
  using A = accumulator<T>;
  using rows = shared_rows<A, Width>;
  using scores = shared_rows<A, attention_tile>;
  static constexpr std::size_t shared = sizeof(A) * (4 * rows::size + 2 * scores::size + 2 * attention_tile);
  static_assert(shared <= most_shared, "attention: rows of heads so wide do not fit a block's shared memory");

  attention_gradient_data<T, Mask, Width> g;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const attention_extent& e = g.e;
    const attention_place at(b, e);
    A* memory = b.template shared<A>();
    const rows q{memory}, k{memory + rows::size}, v{memory + 2 * rows::size}, d_o{memory + 3 * rows::size};
    A *p = scores{memory + 4 * rows::size}[at.row], *ds = scores{memory + 4 * rows::size + scores::size}[at.row];
    A *lse = memory + 4 * rows::size + 2 * scores::size, *delta = lse + attention_tile;
    const int key = at.first + at.row, k_at = e.heads * Width;
    const T* from = g.qkv.of(at.sample, at.head, Width);

    k.load(b, from + k_at, g.qkv.row, at.first, e.rows);
    v.load(b, from + 2 * k_at, g.qkv.row, at.first, e.rows);
    A dk[channels_of_thread<Width>] = {}, dv[channels_of_thread<Width>] = {};
    for (int first = 0; first < e.rows; first += attention_tile) {
      const int count = e.rows - first < attention_tile ? e.rows - first : attention_tile;
      if (e.visible<Mask>(at.sample, first + count - 1) <= at.first)
        continue;  // no query of the tile sees a key of this one
      b.sync();
      q.load(b, from, g.qkv.row, first, e.rows);
      d_o.load(b, g.d_o.of(at.sample, at.head, Width), g.d_o.row, first, e.rows);
      const A d = g.delta(b, at, first);
      if (at.part == 0) delta[at.row] = d, lse[at.row] = at.row < count ? g.lse_of(at, first + at.row) : A(0);
      b.sync();
      int begin = 0;  // the first query that sees the key: all that follow do
      while (begin < count && e.visible<Mask>(at.sample, first + begin) <= key) ++begin;
      for (int i = begin + at.part; i < count; i += attention_parts) {
        p[i] = std::exp(g.scale * dot<Width>(q[i], k[at.row]) - lse[i]);
        ds[i] = g.scale * p[i] * (dot<Width>(d_o[i], v[at.row]) - delta[i]);
      }
      b.warp_sync();
      for (int i = begin; i < count; ++i) {
        each_channel<Width>(at.part, [&](int c, int j) { dk[c] += ds[i] * q[i][j], dv[c] += p[i] * d_o[i][j]; });
      }
    }
    b.sync();
    each_channel<Width>(at.part, [&](int c, int i) { k[at.row][i] = dk[c], v[at.row][i] = dv[c]; });
    b.sync();
    g.store(b, at, k, 1);
    g.store(b, at, v, 2);
  }
};

/// Turns dq and dk of rows [0, rows) back by the angles of their positions, in place. A block a row, a thread a pair of channels.
template <class T>
struct turn_back_kernel {
  head_rows<T> dqkv;
  int rows, heads, pairs;      // pairs: of a head
  const float *cosine, *sine;  // [rows, pairs]

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const int sample = b.index() / rows, row = b.index() % rows;
    T* v = dqkv.data + sample * dqkv.sample + static_cast<std::ptrdiff_t>(row) * dqkv.row;
    for (int i = b.thread(); i < 2 * heads * pairs; i += b.threads()) {  // q's heads, and k's behind them
      T &x = v[i / pairs * 2 * pairs + i % pairs], &y = *(&x + pairs);
      accumulator<T> turned[2] = {static_cast<accumulator<T>>(x), static_cast<accumulator<T>>(y)};
      turn(turned, 0, 0, cosine + row * pairs + i % pairs, sine + row * pairs + i % pairs, 1, accumulator<T>(-1));
      x = static_cast<T>(turned[0]), y = static_cast<T>(turned[1]);
    }
  }
};

}  // namespace trm::cuda::detail
