// SPDX-License-Identifier: MIT
// Embeddings on a device: the input of the recursion, its gradient, the reset of the states. Mostly a block for each row.
#pragma once
#include <cstddef>

#include "trm/backend/cuda/rows.hpp"

namespace trm::cuda::detail {

/// Channels of row r of P puzzle positions of width d that a puzzle row of w numbers fills.
TRM_HD constexpr int puzzle_channels(int w, int r, int d) {
  const int n = w - r * d;
  return n < 0 ? 0 : n < d ? n : d;
}

/// See ops::embed.
template <class X, class A>
struct embed_kernel {
  X x;
  const int* tokens;
  const A *puzzle_rows, *table;
  A scale;
  int rows, positions, width, channels;  // of the call, of the puzzle; numbers of a puzzle row; channels of a row

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    using T = typename X::value_type;
    const row_place p{b.index() / rows, b.index() % rows};
    const A* from;
    int n = channels;
    if (p.row < positions) {
      n = puzzle_channels(width, p.row, channels);
      from =
          puzzle_rows + static_cast<std::ptrdiff_t>(p.sample) * width + static_cast<std::ptrdiff_t>(p.row) * channels;
    } else {
      const std::ptrdiff_t token = static_cast<std::ptrdiff_t>(p.sample) * (rows - positions) + p.row - positions;
      from = table + static_cast<std::ptrdiff_t>(tokens[token]) * channels;
    }
    for (int i = b.thread(); i < channels; i += b.threads()) {
      x.at(p, i) = i < n ? static_cast<T>(scale * static_cast<A>(static_cast<T>(from[i]))) : T(0.0f);
    }
  }
};

/// x += scale * positions
template <class X, class A>
struct add_positions_kernel {
  X x;
  const A* positions;
  A scale;
  int rows, channels;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    using T = typename X::value_type;
    const row_place p{b.index() / rows, b.index() % rows};
    const A* from = positions + static_cast<std::ptrdiff_t>(p.row) * channels;
    for (int i = b.thread(); i < channels; i += b.threads()) {
      x.at(p, i) = static_cast<T>(static_cast<A>(x.at(p, i)) + scale * static_cast<A>(static_cast<T>(from[i])));
    }
  }
};

/// parts[part][token] = scale * sum of dx over those rows of a part of all rows that have this token, in order. A block for each part
/// and token.
template <class X, class A>
struct token_gradient_kernel {
  X dx;
  const int* tokens;
  A* parts;  // [parts, vocabulary, channels]
  A scale;
  int rows, positions, channels, vocabulary, rows_of_part, count;  // count: tokens of all samples

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const int part = b.index() / vocabulary, token = b.index() % vocabulary, per_sample = rows - positions;
    const int first = part * rows_of_part, end = first + rows_of_part < count ? first + rows_of_part : count;
    for (int i = b.thread(); i < channels; i += b.threads()) {
      A sum = 0;
      for (int t = first; t < end; ++t) {
        if (tokens[t] == token) {
          sum += scale * static_cast<A>(dx.at({t / per_sample, positions + t % per_sample}, i));
        }
      }
      parts[static_cast<std::ptrdiff_t>(b.index()) * channels + i] = sum;
    }
  }
};

/// The gradient of the puzzle rows; a block for each position.
template <class X, class A>
struct puzzle_gradient_kernel {
  X dx;
  A* gradient;  // [batch, width]
  A scale;
  int positions, width, channels;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const row_place p{b.index() / positions, b.index() % positions};
    A* to = gradient + static_cast<std::ptrdiff_t>(p.sample) * width + static_cast<std::ptrdiff_t>(p.row) * channels;
    const int n = puzzle_channels(width, p.row, channels);
    for (int i = b.thread(); i < n; i += b.threads()) to[i] = scale * static_cast<A>(dx.at(p, i));
  }
};

/// positions += scale * sum over samples of dx; a block for each row.
template <class X, class A>
struct positions_gradient_kernel {
  X dx;
  A* positions;
  A scale;
  int batch, channels;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    A* to = positions + static_cast<std::ptrdiff_t>(b.index()) * channels;
    for (int i = b.thread(); i < channels; i += b.threads()) {
      A sum = to[i];
      for (int s = 0; s < batch; ++s) sum += scale * static_cast<A>(dx.at({s, b.index()}, i));
      to[i] = sum;
    }
  }
};

/// Rows of samples that halted become the initial state; a block for each row.
template <class Z, class A>
struct reset_kernel {
  Z z;
  const A* initial;
  const unsigned char* halted;
  int rows, channels;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const row_place p{b.index() / rows, b.index() % rows};
    if (halted[p.sample] == 0) return;
    for (int i = b.thread(); i < channels; i += b.threads()) {
      z.at(p, i) = static_cast<typename Z::value_type>(initial[i]);
    }
  }
};

/// out[i] = table[ids[i]]; a block for each.
template <class A>
struct gather_kernel {
  const A* table;
  const int* ids;
  A* out;
  int width;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const A* from = table + static_cast<std::ptrdiff_t>(ids[b.index()]) * width;
    A* to = out + static_cast<std::ptrdiff_t>(b.index()) * width;
    for (int i = b.thread(); i < width; i += b.threads()) to[i] = from[i];
  }
};

}  // namespace trm::cuda::detail
