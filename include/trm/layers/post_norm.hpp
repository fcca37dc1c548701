// SPDX-License-Identifier: MIT
// Residual and norm around a layer.
#pragma once
#include <type_traits>

#include "trm/core/text.hpp"
#include "trm/layers/contract.hpp"

namespace trm {

/// y = rms(x + f(x)), rms(h) = h / sqrt(mean(h^2) + Epsilon), no weights.
/// f's last product carries residual and norm as its epilogue; the gradient of the norm is this layer's entry, that is, the
/// epilogue of whatever produces dy.
template <class Inner, number Epsilon = 1e-5>
struct post_norm {
  template <shape In, class Num>
  struct at {
    using inner = bound<Inner, In, Num>;
    static_assert(inner::out == In, "post_norm: the residual needs the same shape on both sides of the inner layer");
    static_assert(!inner::needs_output,
                  "post_norm: the inner layer's output is not kept, but its gradient asks for it");
    static constexpr bool needs_output = true;
    static constexpr shape out = In;

    template <class T>
    using params = typename inner::template params<T>;
    template <mode M>
    struct saved {
      typename inner::template saved<M> interior;
      std::conditional_t<M == mode::training, view<typename Num::statistic, In.length, 1, In.order>, absent> r;
      template <class F>
      constexpr void fields(F&& f) {
        f("interior", interior);
        f("r", r);
      }
    };
    template <mode M>
    using scratch = typename inner::template scratch<M>;

    template <mode M, class B, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const call<B>& c, const P& p, X x, S& s, K& k, Sink sink) {
      inner::template forward<M>(c, p, x, s.interior, k,
                                 sink::add_norm<X, decltype(s.r), Sink>{x, s.r, Epsilon.value, sink});
    }
    template <class S, class Y, class D>
    static constexpr auto entry(const S& s, Y y, D d) {
      auto then = inner::entry(s.interior, absent{}, d);
      return sink::norm_gradient<Y, decltype(s.r), decltype(then)>{y, s.r, then};
    }
    template <class B, class P, class G, class X, class Y, class D, class S, class K, class Sink>
    static constexpr void backward(const call<B>& c, const P& p, const G& g, X x, Y, D d, S& s, K& k, Sink dx) {
      inner::backward(c, p, g, x, absent{}, d, s.interior, k, sink::plus<D, Sink>{d, dx});
    }
  };
};

}  // namespace trm
