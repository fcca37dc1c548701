// SPDX-License-Identifier: MIT
// y = x W^T (+ b)
#pragma once
#include "trm/layers/contract.hpp"
#include "trm/ops/matmul.hpp"

namespace trm {

/// Of a linear layer: none; zero, a trained bias that begins with 0.
enum class bias { none, zero };

/// y = x W^T + b, W [Out, width]. `Expected`, when given, is checked against the width that reaches the layer.
template <int Out, bias Bias = bias::none, int Expected = 0>
struct linear {
  template <shape In, class Num>
  struct at : plain_entry {
    static_assert(Expected == 0 || Expected == In.width,
                  "linear: the width that reaches it is not the one it was declared for");
    static constexpr shape out{In.length, Out, In.order};
    static constexpr bool biased = Bias != bias::none;

    template <class T>
    struct params {
      matrix<T, Out, In.width> weight;
      std::conditional_t<biased, tensor<T, Out>, empty> bias_;
      template <class F>
      constexpr void fields(F&& f) {
        f("weight", weight);
        if constexpr (biased) f("bias", bias_, init::constant(0));
      }
    };
    template <mode>
    using saved = empty;
    template <mode>
    using scratch = empty;

    template <mode M, class B, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const call<B>& c, const P& p, X x, S&, K&, Sink sink) {
      if constexpr (biased) {
        ops::matmul(c, x, p.weight, p.bias_, sink);
      } else {
        ops::matmul(c, x, p.weight, sink);
      }
    }
    template <class B, class P, class G, class X, class Y, class D, class S, class K, class Sink>
    static constexpr void backward(const call<B>& c, const P& p, const G& g, X x, Y, D d, S&, K&, Sink dx) {
      ops::matmul_weight_gradient(c, d, x, g.weight);
      if constexpr (biased) ops::bias_gradient(c, d, g.bias_);
      ops::matmul_input_gradient(c, d, p.weight, dx);
    }
  };
};

}  // namespace trm
