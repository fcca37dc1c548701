// SPDX-License-Identifier: MIT
// A configuration becomes parameters, memory, and one supervision step.
#pragma once
#include <array>
#include <type_traits>

#include "trm/core/parameters.hpp"
#include "trm/layers/linear.hpp"
#include "trm/models/network.hpp"
#include "trm/ops/cross_entropy.hpp"
#include "trm/ops/embedding.hpp"
#include "trm/ops/halting.hpp"

namespace trm {

namespace detail {
constexpr double square_root(double x) {  // clang 14 has no constexpr sqrt
  double r = x > 1 ? x : 1;
  for (int i = 0; i < 128; ++i) r = 0.5 * (r + x / r);
  return r;
}
}  // namespace detail

/// What a step reads of its batch (B samples, `rows - P` tokens each).
template <class Master>
struct step_input {
  const int* tokens = nullptr;           // [B, S]
  const int* labels = nullptr;           // [B, S], ignored_label where not supervised; training and loss only
  const Master* puzzle_rows = nullptr;   // [B, puzzle_width]
  Master* puzzle_gradient = nullptr;     // [B, puzzle_width], written
  const unsigned char* reset = nullptr;  // [B], nonzero: the sample begins with the initial states
};

/// The model of configuration C with compute type T (float, bf16, double).
///
/// One supervision step (arXiv 2510.04871):
///   x = sqrt(D) * concat(puzzle row as P positions, token embeddings)         [B, T, D]
///   states = initial where the sample halted, else the carry; then the applications of the schedule
///   logits = head(z_out[:, P:])  [B, S, V],   q = z_out[:, 0] W_q^T + b_q  [B, 2]
/// Net: the network of the recursion, any layer that keeps the shape. Head: any layer from D to V channels.
template <config C, class T = float, class Net = network<C>, class Head = linear<C.vocab>, bool = check<C>()>
struct model {};

/// The model where the configuration is sound; the primary template is empty, so that a broken rule gives one
/// message.
template <config C, class T, class Net, class Head>
struct model<C, T, Net, Head, true> {
  static constexpr config description = C;  // the configuration
  /// Extents: S tokens, P puzzle positions, L = P + S rows, D channels, V vocabulary, W width of a puzzle row.
  static constexpr int S = C.tokens, P = C.puzzle_positions, L = C.length(), D = C.hidden, V = C.vocab,
                       W = C.puzzle_width;                         // channels of a puzzle row
  using compute = T;                                               // of states, activations, logits
  using numbers = numerics<T>;                                     // which memory is of which type
  using master = typename numbers::master;                         // of weights, gradients, moments
  using schedule = schedule_of<C>;                                 // what is applied to what
  using core = bound<recursion_of<C, Net>, shape{L, D}, numbers>;  // the recursion, for these shapes
  using head = bound<Head, shape{S, D}, numbers>;                  // the output head, for these shapes
  static_assert(head::out == shape{S, V}, "model: the head must give `vocab` channels for each token");
  using state = typename core::state;  // [B, L, D]
  using carry = typename core::carry;  // the states between supervision steps
  using logits_view = view<T, S, V>;   // [B, S, V]
  using q_view = view<T, 1, 2>;        // [B, 2]: halt, continue
  /// Of the tokens.
  using loss = std::conditional_t<C.loss == loss_kind::softmax, softmax, stablemax>;

  static constexpr bool learned_positions = C.positions == position_kind::learned;  // added to the embeddings
  /// Is q_continue trained, at the price of one more forward pass a step?
  static constexpr bool trains_continue = C.halting == halting_kind::q_continue || C.architecture == architecture::hrm;
  /// How samples halt in training, with these run-time options.
  static constexpr halting_rule rule(int max_steps, double exploration) {
    return {max_steps, exploration, C.halting != halting_kind::fixed,
            trains_continue || C.architecture == architecture::transformer};
  }
  /// On the embeddings: sqrt(D), over sqrt(2) where positions are added.
  static constexpr double embedding_scale = detail::square_root(D) * (learned_positions ? 0.707106781 : 1.0);

  /// q = z W^T + b; begins with W = 0, b = -5, so that nothing halts at first.
  template <class E>
  struct q_params {
    matrix<E, 2, D> weight;  // W
    tensor<E, 2> bias;       // b
    template <class F>
    constexpr void fields(F&& f) {
      f("weight", weight, init::constant(0));
      f("bias", bias, init::constant(-5));
    }
  };
  /// Trained by the dense optimizer, with the names of the published state dict.
  template <class E>
  struct params {
    tensor<E, V, D> embed_tokens;                                             // token embeddings
    typename head::template params<E> lm_head;                                // the output head
    q_params<E> q_head;                                                       // the halting head
    std::conditional_t<learned_positions, tensor<E, L, D>, empty> embed_pos;  // positions, where they are learned
    typename core::template params<E> net;                                    // the recursion's networks
    template <class F>
    constexpr void fields(F&& f) {
      f("model.inner.embed_tokens.embedding_weight", embed_tokens, init::normal(1 / detail::square_root(D)));
      f("model.inner.lm_head", lm_head);
      f("model.inner.q_head", q_head);
      if constexpr (learned_positions)
        f("model.inner.embed_pos.embedding_weight", embed_pos, init::normal(1 / detail::square_root(D)));
      f("model.inner", net);
    }
  };
  /// In the state dict, never trained, not in EMA: the initial states.
  template <class E>
  struct constants {
    std::array<tensor<E, D>, core::state_count> initial;
    template <class F>
    constexpr void fields(F&& f) {
      for (std::size_t i = 0; i < core::state_count; ++i) {
        char name[32] = "model.inner.";
        std::size_t n = 12;
        for (const char* s = schedule::states[i]; *s != '\0'; ++s) name[n++] = *s;
        for (const char* s = "_init"; *s != '\0'; ++s) name[n++] = *s;
        f(name, initial[i], init::normal(1));
      }
    }
  };
  /// The name of the puzzle table in the published state dict, [identifiers, puzzle_width].
  static constexpr const char* puzzle_table_name = "model.inner.puzzle_emb.weights";

  /// Name, place, shape and beginning of every parameter, and of every constant.
  static constexpr auto table = parameter_table<params<float>>();
  // Of the constants.
  static constexpr auto constant_table = parameter_table<constants<float>>();
  /// Elements of a flat buffer of all parameters, of all constants (each padded to parameter_alignment), and the
  /// number of parameters.
  static constexpr std::size_t extent = parameter_extent<params<float>>();
  // Of the constants.
  static constexpr std::size_t constant_extent = parameter_extent<constants<float>>();
  // Without padding.
  static constexpr std::size_t parameter_count = trm::parameter_count<params<float>>();

  /// What the heads give.
  struct outputs {
    logits_view logits;  // of every token
    q_view q;            // of every sample
    template <class F>
    constexpr void fields(F&& f) {
      f("logits", logits);
      f("q", q);
    }
  };
  /// Everything that a training step touches for a micro-batch, but the parameters and the carry.
  struct training_memory {
    state x, dz, dx;       // the input; gradients of the output state and of the input
    logits_view d_logits;  // gradient of the logits
    q_view dq;             // gradient of the halting logits
    typename head::template saved<mode::training> head_saved;      // what the head keeps for its gradient
    typename head::template scratch<mode::training> head_scratch;  // while the head runs
    typename core::saved saved;
    typename core::scratch scratch;
    struct probe_memory {  // the states one step further, for the target of q_continue
      carry z;             // copies of the states
      q_view q;            // of the step further
      template <class F>
      constexpr void fields(F&& f) {
        f("z", z);
        f("q", q);
      }
    };
    std::conditional_t<trains_continue, probe_memory, empty> probe;  // where q_continue is trained
    template <class F>
    constexpr void fields(F&& f) {
      f("x", x), f("dz", dz), f("dx", dx);
      f("d_logits", d_logits), f("dq", dq);
      f("head_saved", head_saved), f("head_scratch", head_scratch);
      f("saved", saved), f("scratch", scratch);
      f("probe", probe);
    }
  };
  /// The same for a step without a gradient.
  struct inference_memory {
    state x;                                                        // the input
    typename head::template saved<mode::inference> head_saved;      // nothing is kept; the head's own type
    typename head::template scratch<mode::inference> head_scratch;  // while the head runs
    typename core::inference_memory scratch;
    template <class F>
    constexpr void fields(F&& f) {
      f("x", x);
      f("head_saved", head_saved), f("head_scratch", head_scratch);
      f("scratch", scratch);
    }
  };

  /// One supervision step with everything that the gradient needs. c.rows = P + tokens of this batch (at most L).
  template <class B, class Ps, class Cs>
  static constexpr void forward(const call<B>& c, const Ps& p, const Cs& initial, step_input<master> in, const carry& z,
                                const outputs& out, training_memory& m) {
    begin(c, p, initial, in, z, m.x);
    core::without_gradient(c, p.net, m.x, z, m.scratch);
    core::with_gradient(c, p.net, m.x, z, m.saved, m.scratch);
    heads<mode::training>(c, p, z, out, m.head_saved, m.head_scratch);
  }
  /// One supervision step without a gradient.
  template <class B, class Ps, class Cs>
  static constexpr void infer(const call<B>& c, const Ps& p, const Cs& initial, step_input<master> in, const carry& z,
                              const outputs& out, inference_memory& m) {
    begin(c, p, initial, in, z, m.x);
    core::advance(c, p.net, m.x, z, m.scratch);
    heads<mode::inference>(c, p, z, out, m.head_saved, m.head_scratch);
  }
  /// The Q values one supervision step after `z`, on the same data; z, outputs and what was saved stay as they are.
  template <class B, class Ps>
  static constexpr void probe(const call<B>& c, const Ps& p, const carry& z, training_memory& m) {
    if constexpr (trains_continue) {
      for (std::size_t s = 0; s < core::state_count; ++s) ops::emit(c, z.z[s], sink::store<state>{m.probe.z.z[s]});
      core::advance(c, p.net, m.x, m.probe.z, m.scratch.inference);
      q_values(c, p, m.probe.z, m.probe.q);
    }
  }
  /// Loss and correctness of each sample, predictions [B, S], and the gradients of the outputs times `scale`. `steps` counts this one.
  template <class B>
  static constexpr void losses(const call<B>& c, step_input<master> in, const outputs& out, const int* steps,
                               int max_steps, double scale, training_memory& m, int* predictions, token_result* tokens,
                               halting_result* halting) {
    ops::cross_entropy<loss>(over_tokens_of(c), out.logits, in.labels, scale, m.d_logits, predictions, tokens);
    if constexpr (trains_continue) {
      ops::halting_loss(c, out.q, m.probe.q, tokens, steps, max_steps, scale, m.dq, halting);
    } else {
      ops::halting_loss(c, out.q, absent{}, tokens, steps, max_steps, scale, m.dq, halting);
    }
  }
  /// The same without gradients.
  template <class B>
  static constexpr void measure(const call<B>& c, step_input<master> in, const outputs& out, const int* steps,
                                int max_steps, int* predictions, token_result* tokens, halting_result* halting) {
    ops::cross_entropy<loss>(over_tokens_of(c), out.logits, in.labels, 1.0, absent{}, predictions, tokens);
    ops::halting_loss(c, out.q, absent{}, tokens, steps, max_steps, 1.0, absent{}, halting);
  }
  /// Adds to the gradients of the parameters and writes that of the puzzle rows. Runs once for each forward.
  template <class B, class Ps, class Gs>
  static constexpr void backward(const call<B>& c, const Ps& p, const Gs& g, step_input<master> in, const carry& z,
                                 const outputs& out, training_memory& m) {
    const call<B> ct = over_tokens_of(c), c1 = c.with_rows(1);
    const state z_out = z.z[schedule::output];
    if constexpr (P > 0) ops::zero(c, m.dz);
    if constexpr (head::needs_output) ops::emit(ct, m.d_logits, head::entry(m.head_saved, out.logits, m.d_logits));
    const state dz_tokens = m.dz.from_row(P, c.rows), dz_first = m.dz.from_row(0, c.rows);
    head::backward(ct, p.lm_head, g.lm_head, z_out.from_row(P, c.rows), out.logits, m.d_logits, m.head_saved,
                   m.head_scratch, sink::store<state>{dz_tokens});
    ops::matmul_weight_gradient(c1, m.dq, z_out.from_row(0, c.rows), g.q_head.weight);
    ops::bias_gradient(c1, m.dq, g.q_head.bias);
    ops::matmul_input_gradient(c1, m.dq, p.q_head.weight, sink::add<state>{dz_first});
    core::backward(c, p.net, g.net, z, m.dz, m.saved, m.scratch, m.dx);
    ops::embed_gradient<P, W>(c, in.tokens, m.dx, embedding_scale, g.embed_tokens, in.puzzle_gradient);
    if constexpr (learned_positions) ops::positions_gradient(c, m.dx, embedding_scale, g.embed_pos);
  }

 private:
  template <class B>
  static constexpr call<B> over_tokens_of(const call<B>& c) {
    return c.with_rows(c.rows - P);
  }
  template <class B, class Ps, class Cs>
  static constexpr void begin(const call<B>& c, const Ps& p, const Cs& initial, step_input<master> in, const carry& z,
                              state x) {
    ops::embed<P, W>(c, embedding_input<master>{in.tokens, in.puzzle_rows}, p.embed_tokens, embedding_scale, x);
    if constexpr (learned_positions) ops::add_positions(c, p.embed_pos, embedding_scale, x);
    for (std::size_t s = 0; s < core::state_count; ++s) ops::reset(c, z.z[s], initial.initial[s], in.reset);
  }
  template <mode M, class B, class Ps, class S_, class K>
  static constexpr void heads(const call<B>& c, const Ps& p, const carry& z, const outputs& out, S_& s, K& k) {
    head::template forward<M>(over_tokens_of(c), p.lm_head, z.z[schedule::output].from_row(P, c.rows), s, k,
                              sink::store<logits_view>{out.logits});
    q_values(c, p, z, out.q);
  }
  template <class B, class Ps>
  static constexpr void q_values(const call<B>& c, const Ps& p, const carry& z, q_view q) {
    ops::matmul(c.with_rows(1), z.z[schedule::output].from_row(0, c.rows), p.q_head.weight, p.q_head.bias,
                sink::store<q_view>{q});
  }
};

}  // namespace trm
