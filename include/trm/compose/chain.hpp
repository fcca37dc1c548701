// SPDX-License-Identifier: MIT
// Layers one after the other.
#pragma once
#include <array>
#include <tuple>
#include <type_traits>
#include <utility>

#include "trm/core/text.hpp"
#include "trm/layers/contract.hpp"

namespace trm {

/// One item of a chain and its name in the state dict.
template <text Name, class Layer>
struct named {
  using layer = Layer;                                       // the layer that bears the name
  static constexpr const char* name() { return Name.data; }  // as in the state dict
};

namespace detail {

template <class Num, shape In, class... Layers>
struct bind_chain {
  static constexpr shape out = In;
  using type = std::tuple<>;
};
template <class Num, shape In, class First, class... Rest>
struct bind_chain<Num, In, First, Rest...> {
  using first = bound<First, In, Num>;
  using rest = bind_chain<Num, first::out, Rest...>;
  static constexpr shape out = rest::out;
  using type = decltype(std::tuple_cat(std::declval<std::tuple<first>>(), std::declval<typename rest::type>()));
};

/// Every second view of a tuple shares one place, and so do the others: what two neighbours need.
template <class F, class Tuple>
constexpr void alternate(F& f, Tuple& t) {
  constexpr std::size_t n = std::tuple_size_v<Tuple>;
  [&]<std::size_t... Index>(std::index_sequence<Index...>) { f.overlay(std::get<2 * Index>(t)...); }
  (std::make_index_sequence<(n + 1) / 2>{});
  if constexpr (n > 1) {
    [&]<std::size_t... Index>(std::index_sequence<Index...>) { f.overlay(std::get<2 * Index + 1>(t)...); }
    (std::make_index_sequence<n / 2>{});
  }
}

}  // namespace detail

/// y = f_n(... f_1(x)), read input first. Boundaries belong to the chain: each is the output of one layer and the input of the next,
/// and is kept once.
template <class... Items>
struct chain {
  static_assert(sizeof...(Items) > 0, "chain: needs at least one named layer");

  template <shape In, class Num>
  struct at {
    static constexpr std::size_t n = sizeof...(Items);
    using layers = typename detail::bind_chain<Num, In, typename Items::layer...>::type;
    template <std::size_t Index>
    using layer = std::tuple_element_t<Index, layers>;
    using last = layer<n - 1>;
    static constexpr bool needs_output = last::needs_output;
    static constexpr shape out = last::out;
    template <std::size_t Index>
    using boundary = activation_of<layer<Index>::out, Num>;
    template <std::size_t... Index>
    static std::tuple<boundary<Index>...> boundaries_of(std::index_sequence<Index...>);
    using boundaries = decltype(boundaries_of(std::make_index_sequence<n - 1>{}));

    template <class Sequence>
    struct parts;
    template <std::size_t... Index>
    struct parts<std::index_sequence<Index...>> {
      template <class T>
      using params = std::tuple<typename layer<Index>::template params<T>...>;
      template <mode M>
      using saved = std::tuple<typename layer<Index>::template saved<M>...>;
      template <mode M>
      using scratch = std::tuple<typename layer<Index>::template scratch<M>...>;
    };
    using items = parts<std::make_index_sequence<n>>;

    template <class T>
    struct params {
      typename items::template params<T> of;
      template <class F>
      constexpr void fields(F&& f) {
        std::apply([&](auto&... p) { (f(Items::name(), p), ...); }, of);
      }
    };
    template <mode M>
    struct saved {
      typename items::template saved<M> of;
      std::conditional_t<M == mode::training, boundaries, std::tuple<>> y;
      template <class F>
      constexpr void fields(F&& f) {
        std::apply([&](auto&... s) { (f(Items::name(), s), ...); }, of);
        std::apply([&](auto&... v) { (f("boundary", v), ...); }, y);
      }
    };
    template <mode M>
    struct scratch {
      typename items::template scratch<M> of;
      boundaries y;  // inference: the boundaries; training: their gradients
      template <class F>
      constexpr void fields(F&& f) {
        std::apply([&](auto&... s) { f.overlay(s...); }, of);
        detail::alternate(f, y);
      }
    };

    template <mode M, std::size_t Index = 0, class B, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const call<B>& c, const P& p, X x, S& s, K& k, Sink sink) {
      auto& pi = std::get<Index>(p.of);
      auto& si = std::get<Index>(s.of);
      auto& ki = std::get<Index>(k.of);
      if constexpr (Index + 1 == n) {
        layer<Index>::template forward<M>(c, pi, x, si, ki, sink);
      } else {
        const boundary<Index> y = std::get<Index>(kept<M>(s, k).y);
        layer<Index>::template forward<M>(c, pi, x, si, ki, sink::store<boundary<Index>>{y});
        forward<M, Index + 1>(c, p, y, s, k, sink);
      }
    }
    template <class S, class Y, class D>
    static constexpr auto entry(const S& s, Y y, D d) {
      return last::entry(std::get<n - 1>(s.of), y, d);
    }
    template <class B, class P, class G, class X, class Y, class D, class S, class K, class Sink>
    static constexpr void backward(const call<B>& c, const P& p, const G& g, X x, Y y, D d, S& s, K& k, Sink dx) {
      back<n - 1>(c, p, g, x, y, d, s, k, dx);
    }

   private:
    template <std::size_t Index, class B, class P, class G, class X, class Y, class D, class S, class K, class Sink>
    static constexpr void back(const call<B>& c, const P& p, const G& g, X x, Y y, D d, S& s, K& k, Sink dx) {
      auto& pi = std::get<Index>(p.of);
      auto& gi = std::get<Index>(g.of);
      auto& si = std::get<Index>(s.of);
      auto& ki = std::get<Index>(k.of);
      if constexpr (Index == 0) {
        layer<0>::backward(c, pi, gi, x, y, d, si, ki, dx);
      } else {
        const boundary<Index - 1> below = std::get<Index - 1>(s.y), d_below = std::get<Index - 1>(k.y);
        layer<Index>::backward(c, pi, gi, below, y, d, si, ki,
                               layer<Index - 1>::entry(std::get<Index - 1>(s.of), below, d_below));
        back<Index - 1>(c, p, g, x, below, d_below, s, k, dx);
      }
    }
  };
};

}  // namespace trm
