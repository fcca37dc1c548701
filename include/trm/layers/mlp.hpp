// SPDX-License-Identifier: MIT
// The plain two-layer network with any pointwise activation.
#pragma once
#include <type_traits>

#include "trm/layers/contract.hpp"
#include "trm/ops/matmul.hpp"

namespace trm {

/// max(x, 0)^2
struct squared_relu {
  /// max(x, 0)^2
  template <class A>
  TRM_HD static constexpr A value(A x) {
    return x > A(0) ? x * x : A(0);
  }
  /// 2 max(x, 0)
  template <class A>
  TRM_HD static constexpr A derivative(A x) {
    return x > A(0) ? A(2) * x : A(0);
  }
};

/// y = W_down F(W_up x), W_up [Inner, width]; no biases. F as in sink::activate.
template <int Inner, class F = squared_relu>
struct mlp {
  template <shape In, class Num>
  struct at : plain_entry {
    static constexpr shape out = In;
    using A = typename Num::activation;

    template <class T>
    struct params {
      matrix<T, Inner, In.width> up_proj;
      matrix<T, In.width, Inner> down_proj;
      template <class V>
      constexpr void fields(V&& f) {
        f("up_proj.weight", up_proj);
        f("down_proj.weight", down_proj);
      }
    };
    template <mode M>
    struct saved {
      std::conditional_t<M == mode::training, view<A, In.length, Inner>, absent> pre;
      template <class V>
      constexpr void fields(V&& f) {
        f("pre", pre);
      }
    };
    template <mode M>
    struct scratch {
      view<A, In.length, Inner> h;
      template <class V>
      constexpr void fields(V&& f) {
        f("h", h);
      }
    };

    template <mode M, class B, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const call<B>& c, const P& p, X x, S& s, K& k, Sink sink) {
      ops::matmul(c, x, p.up_proj, sink::activate<F, decltype(s.pre), decltype(k.h)>{s.pre, k.h});
      ops::matmul(c, k.h, p.down_proj, sink);
    }
    template <class B, class P, class G, class X, class Y, class D, class S, class K, class Sink>
    static constexpr void backward(const call<B>& c, const P& p, const G& g, X x, Y, D d, S& s, K& k, Sink dx) {
      ops::matmul_input_gradient(c, d, p.down_proj,
                                 sink::activate_gradient<F, decltype(s.pre), decltype(k.h)>{s.pre, k.h});
      ops::matmul_weight_gradient(c, d, k.h, g.down_proj);
      ops::matmul_weight_gradient(c, s.pre, x, g.up_proj);
      ops::matmul_input_gradient(c, s.pre, p.up_proj, dx);
    }
  };
};

}  // namespace trm
