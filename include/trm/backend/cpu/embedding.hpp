// SPDX-License-Identifier: MIT
// Embeddings on the CPU: the input of the recursion, its gradient, the reset of the states.
#pragma once
#include <algorithm>
#include <cstddef>

#include "trm/backend/cpu/rows.hpp"
#include "trm/backend/cpu/thread_pool.hpp"
#include "trm/backend/cpu/weights.hpp"
#include "trm/ops/embedding.hpp"

namespace trm::cpu::detail {

/// Channels of row r of P puzzle positions of width D that a puzzle row of W numbers fills.
constexpr int puzzle_channels(int w, int r, int d) { return std::clamp(w - r * d, 0, d); }

template <int P, int W, class C, class M, class T, int V, int D, class X>
void embed(thread_pool& pool, const C& c, embedding_input<M> in, tensor<weight<T>, V, D> table, double scale, X x) {
  using A = accumulator<T>;
  const A s = static_cast<A>(scale);
  const std::ptrdiff_t tokens = c.rows - P;
  pool.run(c.batch * c.rows, [&](int task, int) {
    const int b = task / c.rows, r = task % c.rows;
    T* out = row_at(x, {b, r, c.rows}).data;
    const A* from = nullptr;
    int n = D;
    if (r < P) {
      n = puzzle_channels(W, r, D);
      from = in.puzzle_rows + static_cast<std::ptrdiff_t>(b) * W + static_cast<std::ptrdiff_t>(r) * D;
    } else {
      from = table.data.master + static_cast<std::ptrdiff_t>(in.tokens[b * tokens + r - P]) * D;
    }
    for (int i = 0; i < n; ++i) out[i] = static_cast<T>(s * static_cast<A>(static_cast<T>(from[i])));
    for (int i = n; i < D; ++i) out[i] = T{};
  });
}

template <class C, class T, int L, int D, class X>
void add_positions(thread_pool& pool, const C& c, tensor<weight<T>, L, D> positions, double scale, X x) {
  using A = accumulator<T>;
  const A s = static_cast<A>(scale);
  pool.run(c.batch * c.rows, [&](int task, int) {
    const int b = task / c.rows, r = task % c.rows;
    T* out = row_at(x, {b, r, c.rows}).data;
    const A* from = positions.data.master + static_cast<std::ptrdiff_t>(r) * D;
    for (int i = 0; i < D; ++i)
      out[i] = static_cast<T>(static_cast<A>(out[i]) + s * static_cast<A>(static_cast<T>(from[i])));
  });
}

template <int P, int W, class C, class X, class G, int V, int D, class M>
void embed_gradient(thread_pool& pool, const C& c, const int* tokens, X dx, double scale, tensor<G, V, D> table,
                    M* puzzle_gradient) {
  const G s = static_cast<G>(scale);
  const std::ptrdiff_t count = c.rows - P;
  constexpr int slice = 64;  // channels: each task owns some and walks the tokens in order, so equal tokens never race
  pool.run((D + slice - 1) / slice, [&](int task, int) {
    const int first = task * slice, end = std::min(D, first + slice);
    for (int b = 0; b < c.batch; ++b) {
      for (int r = P; r < c.rows; ++r) {
        const auto* d = row_at(dx, {b, r, c.rows}).data;
        G* row = table.data + static_cast<std::ptrdiff_t>(tokens[b * count + r - P]) * D;
        for (int i = first; i < end; ++i) row[i] += s * static_cast<G>(d[i]);
      }
    }
  });
  if constexpr (P > 0) {
    pool.run(c.batch * P, [&](int task, int) {
      const int b = task / P, r = task % P;
      const auto* d = row_at(dx, {b, r, c.rows}).data;
      M* row = puzzle_gradient + static_cast<std::ptrdiff_t>(b) * W + static_cast<std::ptrdiff_t>(r) * D;
      for (int i = 0, n = puzzle_channels(W, r, D); i < n; ++i) row[i] = static_cast<M>(s * static_cast<G>(d[i]));
    });
  }
}

template <class C, class X, class G, int L, int D>
void positions_gradient(thread_pool& pool, const C& c, X dx, double scale, tensor<G, L, D> positions) {
  const G s = static_cast<G>(scale);
  pool.run(c.rows, [&](int r, int) {
    G* row = positions.data + static_cast<std::ptrdiff_t>(r) * D;
    for (int b = 0; b < c.batch; ++b) {
      const auto* d = row_at(dx, {b, r, c.rows}).data;
      for (int i = 0; i < D; ++i) row[i] += s * static_cast<G>(d[i]);
    }
  });
}

template <class C, class Z, class M, int D>
void reset(thread_pool& pool, const C& c, Z z, tensor<M, D> initial, const unsigned char* halted) {
  using T = typename Z::value_type;
  pool.run(c.batch * c.rows, [&](int task, int) {
    const int b = task / c.rows, r = task % c.rows;
    if (halted[b] == 0) return;
    T* out = row_at(z, {b, r, c.rows}).data;
    for (int i = 0; i < D; ++i) out[i] = static_cast<T>(initial.data[i]);
  });
}

}  // namespace trm::cpu::detail
