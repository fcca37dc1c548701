// SPDX-License-Identifier: MIT
// N layers of one kind.
#pragma once
#include <array>
#include <type_traits>
#include <utility>

#include "trm/core/text.hpp"
#include "trm/layers/contract.hpp"

namespace trm {

/// N layers of one kind, each with weights of its own, named Name.0, Name.1, ...: a run-time loop, compiled once.
template <text Name, int N, class Layer>
struct repeat {
  static_assert(N > 0, "repeat: needs at least one layer");

  template <shape In, class Num>
  struct at {
    using layer = bound<Layer, In, Num>;
    static_assert(layer::out == In, "repeat: the layer must keep the shape");
    static constexpr bool needs_output = layer::needs_output;
    static constexpr shape out = In;
    static constexpr std::size_t n = static_cast<std::size_t>(N);
    using boundary = activation_of<In, Num>;

    template <class T>
    struct params {
      std::array<typename layer::template params<T>, n> of;
      template <class F>
      constexpr void fields(F&& f) {
        f(Name.data, of);
      }
    };
    template <mode M>
    struct saved {
      std::array<typename layer::template saved<M>, n> of;
      std::array<boundary, M == mode::training ? n - 1 : 0> y;
      template <class F>
      constexpr void fields(F&& f) {
        f(Name.data, of);
        f("boundary", y);
      }
    };
    template <mode M>
    struct scratch {
      typename layer::template scratch<M> of;
      // Inference: two boundaries in turn. Training: the second gradient buffer, the first being the one that comes in.
      std::array<boundary, M == mode::training ? (n > 1 ? 1 : 0) : (n > 2 ? 2 : n - 1)> y;
      template <class F>
      constexpr void fields(F&& f) {
        f(Name.data, of);
        f("boundary", y);
      }
    };

    template <mode M, class B, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const call<B>& c, const P& p, X x, S& s, K& k, Sink sink) {
      for (std::size_t i = 0; i + 1 < n; ++i) {
        const boundary y = kept<M>(s, k).y[M == mode::training ? i : i % 2];
        layer::template forward<M>(c, p.of[i], x, s.of[i], k.of, sink::store<boundary>{y});
        x = y;
      }
      layer::template forward<M>(c, p.of[n - 1], x, s.of[n - 1], k.of, sink);
    }
    template <class S, class Y, class D>
    static constexpr auto entry(const S& s, Y y, D d) {
      return layer::entry(s.of[n - 1], y, d);
    }
    template <class B, class P, class G, class X, class Y, class D, class S, class K, class Sink>
    static constexpr void backward(const call<B>& c, const P& p, const G& g, X x, Y y, D d, S& s, K& k, Sink dx) {
      if constexpr (n > 1) {
        D e = k.y[0];
        for (std::size_t i = n - 1; i > 0; --i) {
          const boundary below = s.y[i - 1];
          layer::backward(c, p.of[i], g.of[i], below, y, d, s.of[i], k.of, layer::entry(s.of[i - 1], below, e));
          y = below;
          std::swap(d, e);
        }
      }
      layer::backward(c, p.of[0], g.of[0], x, y, d, s.of[0], k.of, dx);
    }
  };
};

}  // namespace trm
