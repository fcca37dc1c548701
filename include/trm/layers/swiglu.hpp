// SPDX-License-Identifier: MIT
// The gated feed-forward network.
#pragma once
#include <type_traits>

#include "trm/core/activations.hpp"
#include "trm/core/text.hpp"
#include "trm/layers/contract.hpp"
#include "trm/ops/matmul.hpp"

namespace trm {

/// The inner width of SwiGLU: round(expansion * width * 2/3), half to even, then up to a multiple; published: of 256.
constexpr int swiglu_width(double expansion, int width, int multiple = 256) {
  const double exact = expansion * width * 2 / 3;
  const auto below = static_cast<long long>(exact);
  const double rest = exact - static_cast<double>(below);
  const long long nearest = rest > 0.5 || (rest == 0.5 && below % 2 != 0) ? below + 1 : below;
  return static_cast<int>(round_up(static_cast<std::size_t>(nearest), static_cast<std::size_t>(multiple)));
}

/// y = W_down (silu(g) * u), [g | u] = W_gate_up x (arXiv 2002.05202); no biases.
template <number Expansion, int Multiple = 256>
struct swiglu {
  template <shape In, class Num>
  struct at : plain_entry {
    static_assert(Multiple > 0, "swiglu: the inner width must be a multiple of something positive");
    static constexpr shape out = In;
    static constexpr int inner = swiglu_width(Expansion.value, In.width, Multiple);
    static_assert(inner > 0, "swiglu: the expansion must be positive");
    using A = typename Num::activation;

    template <class T>
    struct params {
      matrix<T, 2 * inner, In.width> gate_up_proj;
      matrix<T, In.width, inner> down_proj;
      template <class F>
      constexpr void fields(F&& f) {
        f("gate_up_proj.weight", gate_up_proj);
        f("down_proj.weight", down_proj);
      }
    };
    // Inner channels lie together also where the layer works along tokens: what is done to them then runs in vectors.
    struct interior {
      view<A, In.length, 2 * inner> gate_up;
      template <class F>
      constexpr void fields(F&& f) {
        f("gate_up", gate_up);
      }
    };
    struct nothing {
      absent gate_up;
      template <class F>
      constexpr void fields(F&&) {}
    };
    template <mode M>
    using saved = std::conditional_t<M == mode::training, interior, nothing>;
    template <mode M>
    struct scratch {
      view<A, In.length, inner> h;
      template <class F>
      constexpr void fields(F&& f) {
        f("h", h);
      }
    };

    template <mode M, class B, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const call<B>& c, const P& p, X x, S& s, K& k, Sink sink) {
      ops::matmul(c, x, p.gate_up_proj, sink::swiglu<decltype(s.gate_up), decltype(k.h)>{s.gate_up, k.h});
      ops::matmul(c, k.h, p.down_proj, sink);
    }
    template <class B, class P, class G, class X, class Y, class D, class S, class K, class Sink>
    static constexpr void backward(const call<B>& c, const P& p, const G& g, X x, Y, D d, S& s, K& k, Sink dx) {
      ops::matmul_input_gradient(c, d, p.down_proj,
                                 sink::swiglu_gradient<decltype(s.gate_up), decltype(k.h)>{s.gate_up, k.h});
      ops::matmul_weight_gradient(c, d, k.h, g.down_proj);
      ops::matmul_weight_gradient(c, s.gate_up, x, g.gate_up_proj);
      ops::matmul_input_gradient(c, s.gate_up, p.gate_up_proj, dx);
    }
  };
};

}  // namespace trm
