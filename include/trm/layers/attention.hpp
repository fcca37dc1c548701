// SPDX-License-Identifier: MIT
// Multi-head self-attention with a fused projection and rotary positions.
#pragma once
#include <type_traits>

#include "trm/layers/contract.hpp"
#include "trm/ops/attention.hpp"
#include "trm/ops/matmul.hpp"
#include "trm/ops/rope.hpp"

namespace trm {

/// y = W_o softmax(rot(q) rot(k)^T / sqrt(head_dim) + mask) v with [q | k | v] = W_qkv x; no biases.
/// Mask: bidirectional, causal, prefix_causal. Positions: rope<theta>, no_positions.
template <int Heads, class Mask = bidirectional, class Positions = rope<>>
struct attention {
  template <shape In, class Num>
  struct at : plain_entry {
    static_assert(Heads > 0 && In.width % (Heads > 0 ? Heads : 1) == 0,
                  "attention: the width must be a multiple of the number of heads");
    static_assert(!Positions::rotates || In.width / (Heads > 0 ? Heads : 1) % 2 == 0,
                  "attention: rope needs an even head width");
    static_assert(In.order == layout::channels_last, "attention: cannot run inside over_tokens");
    static constexpr shape out = In;
    static constexpr int D = In.width;
    using A = typename Num::activation;

    template <class T>
    struct params {
      matrix<T, 3 * D, D> qkv_proj;
      matrix<T, D, D> o_proj;
      template <class F>
      constexpr void fields(F&& f) {
        f("qkv_proj.weight", qkv_proj);
        f("o_proj.weight", o_proj);
      }
    };
    template <mode M>
    struct interior {
      view<A, In.length, 3 * D> qkv;  // rotated
      view<A, In.length, D> o;
      std::conditional_t<M == mode::training, view<typename Num::statistic, In.length, Heads>, absent> lse;
      template <class F>
      constexpr void fields(F&& f) {
        f("qkv", qkv);
        f("o", o);
        f("lse", lse);
      }
    };
    struct gradients {
      view<A, In.length, D> d_o;
      view<A, In.length, 3 * D> dqkv;
      template <class F>
      constexpr void fields(F&& f) {
        f("d_o", d_o);
        f("dqkv", dqkv);
      }
    };
    template <mode M>
    using saved = std::conditional_t<M == mode::training, interior<M>, empty>;
    template <mode M>
    using scratch = std::conditional_t<M == mode::training, gradients, interior<M>>;

    template <mode M, class B, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const call<B>& c, const P& p, X x, S& s, K& k, Sink sink) {
      auto& t = kept<M>(s, k);
      ops::matmul(c, x, p.qkv_proj, sink::rotate<Heads, Positions, decltype(t.qkv)>{t.qkv});
      ops::attention<Heads, Mask>(c, t.qkv, t.o, t.lse);
      ops::matmul(c, t.o, p.o_proj, sink);
    }
    template <class B, class P, class G, class X, class Y, class Dy, class S, class K, class Sink>
    static constexpr void backward(const call<B>& c, const P& p, const G& g, X x, Y, Dy d, S& s, K& k, Sink dx) {
      ops::matmul_input_gradient(c, d, p.o_proj, sink::store<decltype(k.d_o)>{k.d_o});
      ops::matmul_weight_gradient(c, d, s.o, g.o_proj);
      ops::attention_gradient<Heads, Mask, Positions>(c, s.qkv, s.o, s.lse, k.d_o, k.dqkv);
      ops::matmul_weight_gradient(c, k.dqkv, x, g.qkv_proj);
      ops::matmul_input_gradient(c, k.dqkv, p.qkv_proj, dx);
    }
  };
};

}  // namespace trm
