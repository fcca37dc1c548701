// SPDX-License-Identifier: MIT
// Less memory for more work.
#pragma once
#include <type_traits>

#include "trm/layers/contract.hpp"
#include "trm/ops/rows.hpp"

namespace trm {

/// f, of which nothing is saved but what the parent keeps anyway (x and y): its inside is computed again before the gradient.
/// It is entered by a plain store, since its statistics do not exist yet when the gradient arrives.
template <class Layer>
struct recompute {
  template <shape In, class Num>
  struct at {
    using inner = bound<Layer, In, Num>;
    static constexpr bool needs_output = true;
    static constexpr shape out = inner::out;
    using result = activation_of<out, Num>;

    template <class T>
    using params = typename inner::template params<T>;
    template <mode M>
    using saved = std::conditional_t<M == mode::training, empty, typename inner::template saved<M>>;
    struct training_scratch {
      typename inner::template saved<mode::training> saved_again;
      typename inner::template scratch<mode::training> interior;
      result d;
      template <class F>
      constexpr void fields(F&& f) {
        f("saved", saved_again);
        f("interior", interior);
        f("d", d);
      }
    };
    template <mode M>
    using scratch = std::conditional_t<M == mode::training, training_scratch, typename inner::template scratch<M>>;

    template <mode M, class B, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const call<B>& c, const P& p, X x, S& s, K& k, Sink sink) {
      if constexpr (M == mode::training) {
        inner::template forward<M>(c, p, x, k.saved_again, k.interior, sink);
      } else {
        inner::template forward<M>(c, p, x, s, k, sink);
      }
    }
    template <class S, class Y, class D>
    static constexpr auto entry(const S&, Y, D d) {
      return sink::store<D>{d};
    }
    template <class B, class P, class G, class X, class Y, class D, class S, class K, class Sink>
    static constexpr void backward(const call<B>& c, const P& p, const G& g, X x, Y y, D d, S&, K& k, Sink dx) {
      inner::template forward<mode::training>(c, p, x, k.saved_again, k.interior,
                                              sink::store<result>{k.d});  // y again: not used
      ops::emit(c, d, inner::entry(k.saved_again, y, k.d));
      inner::backward(c, p, g, x, y, k.d, k.saved_again, k.interior, dx);
    }
  };
};

}  // namespace trm
