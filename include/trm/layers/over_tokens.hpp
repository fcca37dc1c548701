// SPDX-License-Identifier: MIT
// A layer with rows and channels exchanged: the token mixer.
#pragma once
#include "trm/layers/contract.hpp"
#include "trm/ops/rows.hpp"

namespace trm {

/// f applied along the token axis: the same memory seen through flipped views. Element-wise sinks pass through; one that needs
/// whole rows of the other axis is applied after landing. Needs the full sequence length (every row of every sample).
template <class Inner>
struct over_tokens {
  template <shape In, class Num>
  struct at {
    static_assert(In.order == layout::channels_last, "over_tokens: does not nest");
    static constexpr shape flipped{In.width, In.length, layout::channels_first};
    using inner = bound<Inner, flipped, Num>;
    static_assert(inner::out == flipped, "over_tokens: the inner layer must keep the shape");
    static constexpr bool needs_output = inner::needs_output;
    static constexpr shape out = In;
    using A = typename Num::activation;

    template <class T>
    using params = typename inner::template params<T>;
    template <mode M>
    using saved = typename inner::template saved<M>;
    template <mode M>
    struct scratch {
      typename inner::template scratch<M> interior;
      view<A, In.length, In.width> landing;
      template <class F>
      constexpr void fields(F&& f) {
        f("interior", interior);
        f("landing", landing);
      }
    };

    template <mode M, class B, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const call<B>& c, const P& p, X x, S& s, K& k, Sink sink) {
      deliver(c, k, sink, [&](auto o) { inner::template forward<M>(across(c), p, flip(x), s, k.interior, o); });
    }
    template <class S, class Y, class D>
    static constexpr auto entry(const S&, Y, D d) {
      return sink::store<D>{d};  // the inner entry needs rows of the other axis: it runs in backward, in place
    }
    template <class B, class P, class G, class X, class Y, class D, class S, class K, class Sink>
    static constexpr void backward(const call<B>& c, const P& p, const G& g, X x, Y y, D d, S& s, K& k, Sink dx) {
      const auto df = flip(d);
      if constexpr (needs_output) ops::emit(across(c), df, inner::entry(s, flip(y), df));
      deliver(c, k, dx, [&](auto o) { inner::backward(across(c), p, g, flip(x), flip(y), df, s, k.interior, o); });
    }

   private:
    template <class B>
    static constexpr call<B> across(const call<B>& c) {
      return {c.backend, c.batch, In.width, nullptr, nullptr};
    }
    template <class B, class K, class Sink, class Run>
    static constexpr void deliver(const call<B>& c, K& k, Sink sink, Run run) {
      if constexpr (sink::elementwise<Sink>) {
        run(flip(sink));
      } else {
        run(flip(sink::store<decltype(k.landing)>{k.landing}));
        ops::emit(c, k.landing, sink);
      }
    }
  };
};

}  // namespace trm
