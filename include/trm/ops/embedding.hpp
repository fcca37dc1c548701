// SPDX-License-Identifier: MIT
// The input of the recursion: puzzle rows, token embeddings, learned positions; and the reset of the states.
#pragma once
#include "trm/core/call.hpp"
#include "trm/core/tensor.hpp"
#include "trm/core/view.hpp"

namespace trm {

/// The data of a batch as the embedding reads it.
template <class Master>
struct embedding_input {
  const int* tokens = nullptr;          // [B, rows - P], every value in [0, V)
  const Master* puzzle_rows = nullptr;  // [B, puzzle_width], or null
};

}  // namespace trm

namespace trm::ops {

/// x_b = scale * concat(puzzle_row_b zero-padded to P * D as P rows, table[tokens_b]); every part is rounded to the compute type first.
/// P is what the rows of the call exceed the tokens by.
template <int P, int PuzzleWidth, class B, class Master, class T, int V, int D, class X>
constexpr void embed(const call<B>& c, embedding_input<Master> in, tensor<T, V, D> table,  // [V, D]
                     double scale,
                     X x) {  // [B, rows, D]
  c.backend.template embed<P, PuzzleWidth>(c, in, table, scale, x);
}

/// x += scale * positions
template <class B, class T, int L, int D, class X>
constexpr void add_positions(const call<B>& c, tensor<T, L, D> positions,  // [L, D]
                             double scale,
                             X x) {  // [B, rows, D]
  c.backend.add_positions(c, positions, scale, x);
}

/// d table[token] += scale * dx of that token's rows; puzzle_gradient_b = scale * dx of the first P rows, overwritten.
template <int P, int PuzzleWidth, class B, class X, class T, int V, int D, class Master>
constexpr void embed_gradient(const call<B>& c,
                              const int* tokens,                      // [B, rows - P]
                              X dx,                                   // [B, rows, D]
                              double scale, tensor<T, V, D> d_table,  // [V, D]
                              Master* puzzle_gradient) {              // [B, PuzzleWidth] or null
  c.backend.template embed_gradient<P, PuzzleWidth>(c, tokens, dx, scale, d_table, puzzle_gradient);
}

/// d positions += scale * sum over samples of dx
template <class B, class X, class T, int L, int D>
constexpr void positions_gradient(const call<B>& c,
                                  X dx,                                         // [B, rows, D]
                                  double scale, tensor<T, L, D> d_positions) {  // [L, D]
  c.backend.positions_gradient(c, dx, scale, d_positions);
}

/// Every row of a sample that halted becomes the initial state, rounded to the compute type; the other samples keep theirs.
template <class B, class Z, class T, int D>
constexpr void reset(const call<B>& c,
                     Z z,                            // [B, rows, D]
                     tensor<T, D> initial,           // [D]
                     const unsigned char* halted) {  // [B], nonzero = halted
  c.backend.reset(c, z, initial, halted);
}

}  // namespace trm::ops
