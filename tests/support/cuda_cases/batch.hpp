// SPDX-License-Identifier: MIT
// Embeddings, losses and halting on a device.
#pragma once
#include "support/cuda_cases/compare.hpp"
#include "trm/ops/cross_entropy.hpp"
#include "trm/ops/embedding.hpp"
#include "trm/ops/halting.hpp"

namespace trm::cuda::testing {

inline constexpr int batch_tokens = 37, batch_positions = 2, batch_rows = batch_tokens + batch_positions,
                     batch_width = 33, puzzle_width = 50, vocabulary = 7;

template <class T>
struct embedding_memory {
  view<T, batch_rows, batch_width> x;
  view<accumulator<T>, 1, puzzle_width> puzzle_rows, puzzle_gradient;
  template <class F>
  constexpr void fields(F&& f) {
    f("x", x), f("puzzle_rows", puzzle_rows), f("puzzle_gradient", puzzle_gradient);
  }
};
template <class E>
struct embedding_params {
  tensor<E, vocabulary, batch_width> table;
  tensor<E, batch_rows, batch_width> positions;
  template <class F>
  constexpr void fields(F&& f) {
    f("table", table), f("positions", positions);
  }
};

template <class T, class Device>
void check_embedding(Device& d) {
  const extents e{3, batch_rows, {}, {}};
  compare<T, embedding_memory, embedding_params>(
      d, e, bound_of<T>(2, 4), [](const auto& c, auto& m, const auto& p, auto, const side_data& s) {
        using master = typename std::remove_reference_t<decltype(m.puzzle_rows)>::value_type;
        ops::embed<batch_positions, puzzle_width>(c, embedding_input<master>{s.tokens, m.puzzle_rows.data}, p.table,
                                                  3.7, m.x);
      });
  compare<T, embedding_memory, embedding_params>(d, e, bound_of<T>(2, 4),
                                                 [](const auto& c, auto& m, const auto& p, auto, const side_data&) {
                                                   ops::add_positions(c, p.positions, 3.7, m.x);
                                                 });
  compare<T, embedding_memory, embedding_params>(d, e, bound_of<T>(0, steps_of_sum(3 * batch_tokens) + 4),
                                                 [](const auto& c, auto& m, const auto&, auto g, const side_data& s) {
                                                   ops::embed_gradient<batch_positions, puzzle_width>(
                                                       c, s.tokens, m.x, 3.7, g.table, m.puzzle_gradient.data);
                                                   ops::positions_gradient(c, m.x, 3.7, g.positions);
                                                 });
}

template <class T>
struct state_memory {
  view<T, 5, batch_width> z;
  template <class F>
  constexpr void fields(F&& f) {
    f("z", z);
  }
};

/// Initial states are no parameters of a product: their master values are read.
template <class Device>
void check_reset(Device& d) {
  compare<float, state_memory, embedding_params>(
      d, {4, 5, {}, {}}, 0, [](const auto& c, auto& m, const auto&, auto g, const side_data& s) {
        ops::reset(c, m.z, tensor<std::remove_pointer_t<decltype(g.table.data)>, batch_width>{g.table.data}, s.halted);
      });
}

template <class T>
struct loss_memory {
  view<T, batch_rows, vocabulary> logits, d_logits;
  view<T, 1, 2> q, next_q, dq;
  template <class F>
  constexpr void fields(F&& f) {
    f("logits", logits), f("d_logits", d_logits), f("q", q), f("next_q", next_q), f("dq", dq);
  }
};

/// Losses are computed in float64 on both: only what is stored is rounded.
template <class T, class Loss, class Device>
void check_losses(Device& d) {
  const extents e{5, batch_rows, {}, {}};
  compare<T, loss_memory>(d, e, bound_of<T>(1, 1), [](const auto& c, auto& m, auto&&, auto, const side_data& s) {
    ops::cross_entropy<Loss>(c, m.logits, s.labels, 0.3, m.d_logits, s.predictions, s.tokens_result);
    ops::halting_loss(c, m.q, m.next_q, s.tokens_result, s.steps, 4, 0.3, m.dq, s.halting);
    ops::halt(c, halting_rule{4, 0.5, true, false}, draw_key{9, 12, 100}, s.halting, s.steps, s.halted);
  });
  compare<T, loss_memory>(d, e, bound_of<T>(1, 1), [](const auto& c, auto& m, auto&&, auto, const side_data& s) {
    ops::cross_entropy<Loss>(c, m.logits, s.labels, 1.0, absent{}, s.predictions, s.tokens_result);
    ops::halting_loss(c, m.q, absent{}, s.tokens_result, s.steps, 4, 1.0, absent{}, s.halting);
    ops::halt(c, halting_rule{16, 0.1, true, true}, draw_key{9, 12, 7}, s.halting, s.steps, s.halted);
  });
}

}  // namespace trm::cuda::testing
