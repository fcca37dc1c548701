// SPDX-License-Identifier: MIT
// Sinks on the CPU: applied to one row while it is in the cache. put(sink, r) consumes the row r.
#pragma once
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "trm/backend/cpu/rows.hpp"
#include "trm/ops/rope.hpp"
#include "trm/ops/sinks.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

namespace trm::cpu::detail {

template <class V, class A, int Lanes>
TRM_INLINE inline void put(const sink::store<V>& s, const result_row<A, Lanes>& r) {
  const auto y = row_at(s.y, r);
  each<A, Lanes, V::order>(r.n, [&](int i, auto l) TRM_INLINE { set<l(), A>(y, i, get<l()>(r.v, i)); });
}

template <class V, class A, int Lanes>
TRM_INLINE inline void put(const sink::add<V>& s, const result_row<A, Lanes>& r) {
  const auto y = row_at(s.y, r);
  each<A, Lanes, V::order>(r.n,
                           [&](int i, auto l) TRM_INLINE { set<l(), A>(y, i, get<l(), A>(y, i) + get<l()>(r.v, i)); });
}

/// Which parts of a row a sink can be given.
struct row_parts {
  int unit;             // parts are whole units of channels; 0: it needs all of a row
  bool halves = false;  // of [first half | second half] it needs the same part of both
};
template <class S>
inline constexpr row_parts parts_of{S::needs == sink::grain::element ? 1 : 0};
template <class G, class H>
inline constexpr row_parts parts_of<sink::swiglu<G, H>>{1, true};
template <class G, class H>
inline constexpr row_parts parts_of<sink::swiglu_gradient<G, H>>{1};
template <int Heads, class Positions, class V>
inline constexpr row_parts parts_of<sink::rotate<Heads, Positions, V>>{V::width / 3 / Heads};

/// r += the row of a view
template <class V, class A, int Lanes>
TRM_INLINE inline void add_row(const V& view, const result_row<A, Lanes>& r) {
  const auto x = row_at(view, r);
  each<A, Lanes, V::order>(r.n,
                           [&](int i, auto l) TRM_INLINE { set<l()>(r.v, i, get<l()>(r.v, i) + get<l(), A>(x, i)); });
}

template <class Other, class Then, class A, int Lanes>
TRM_INLINE inline void put(const sink::plus<Other, Then>& s, const result_row<A, Lanes>& r) {
  add_row(s.other, r);
  put(s.then, r);
}

template <class X, class R, class Then, class A, int Lanes>
TRM_INLINE inline void put(const sink::add_norm<X, R, Then>& s, const result_row<A, Lanes>& r) {
  add_row(s.x, r);
  const A square = sum<A, Lanes>(r.n, [&](int i, auto l) TRM_INLINE {
    const auto h = get<l()>(r.v, i);
    return h * h;
  });
  const A scale = A(1) / std::sqrt(square / static_cast<A>(r.n) + static_cast<A>(s.eps));
  if constexpr (is_view<R>) row_at(s.r, r.at)[0] = static_cast<typename R::value_type>(scale);
  each<A, Lanes>(r.n, [&](int i, auto l) TRM_INLINE { set<l()>(r.v, i, get<l()>(r.v, i) * spread<l()>(scale)); });
  put(s.then, r);
}

template <class Y, class R, class Then, class A, int Lanes>
TRM_INLINE inline void put(const sink::norm_gradient<Y, R, Then>& s, const result_row<A, Lanes>& r) {
  const auto y = row_at(s.y, r);
  const A scale = static_cast<A>(row_at(s.r, r.at)[0]);
  const A mean =
      sum<A, Lanes, Y::order>(r.n, [&](int i, auto l) TRM_INLINE { return get<l(), A>(y, i) * get<l()>(r.v, i); }) /
      static_cast<A>(r.n);
  each<A, Lanes, Y::order>(r.n, [&](int i, auto l) TRM_INLINE {
    set<l()>(r.v, i, spread<l()>(scale) * (get<l()>(r.v, i) - get<l(), A>(y, i) * spread<l()>(mean)));
  });
  put(s.then, r);
}

/// r holds as many gates as ups: n / 2 of each.
template <class G, class H, class A, int Lanes>
TRM_INLINE inline void put(const sink::swiglu<G, H>& s, const result_row<A, Lanes>& r) {
  const int half = r.n / 2;
  if constexpr (is_view<G>) {
    put(sink::store<G>{s.gate_up}, result_row<A, Lanes>{r.v, half, r.at, r.first});
    put(sink::store<G>{s.gate_up}, result_row<A, Lanes>{r.v + half, half, r.at, H::width + r.first});
  }
  const auto h = row_at(s.h, r);
  each<A, Lanes, H::order>(half, [&](int i, auto l) TRM_INLINE {
    const auto gate = get<l()>(r.v, i), up = get<l()>(r.v, half + i);
    set<l(), A>(h, i, gate * logistic<l(), A>(gate) * up);
  });
}

template <class G, class H, class A, int Lanes>
TRM_INLINE inline void put(const sink::swiglu_gradient<G, H>& s, const result_row<A, Lanes>& r) {
  const auto g = row_at(s.gate_up, r);
  const auto h = row_at(s.h, r);
  each<A, Lanes, G::order>(r.n, [&](int i, auto l) TRM_INLINE {
    constexpr int L = l();
    const channels<L, A> gate = get<L, A>(g, i), up = get<L, A>(g, H::width + i), d = get<L>(r.v, i);
    const channels<L, A> sig = logistic<L, A>(gate), act = gate * sig;
    set<L, A>(h, i, act * up);
    set<L, A>(g, i, d * up * (sig + act * (spread<L>(A(1)) - sig)));
    set<L, A>(g, H::width + i, d * act);
  });
}

template <class F, class P, class H, class A, int Lanes>
TRM_INLINE inline void put(const sink::activate<F, P, H>& s, const result_row<A, Lanes>& r) {
  if constexpr (is_view<P>) put(sink::store<P>{s.pre}, r);
  for (int i = 0; i < r.n; ++i) r.v[i] = F::value(r.v[i]);
  put(sink::store<H>{s.h}, r);
}

template <class F, class P, class H, class A, int Lanes>
TRM_INLINE inline void put(const sink::activate_gradient<F, P, H>& s, const result_row<A, Lanes>& r) {
  const auto pre = row_at(s.pre, r);
  const auto h = row_at(s.h, r);
  for (int i = 0; i < r.n; ++i) {
    const A x = static_cast<A>(pre[i]);
    h[i] = static_cast<typename H::value_type>(F::value(x));
    pre[i] = static_cast<typename P::value_type>(r.v[i] * F::derivative(x));
  }
}

/// Turns the pairs (i, i + d/2) of one head of d channels in place; sign -1 undoes it.
template <int Lanes, class A>
TRM_INLINE inline void turn(A* head, const float* cosine, const float* sine, int d, A sign) {
  const int pairs = d / 2;
  const auto one = [&](int i, auto l) TRM_INLINE {
    constexpr int L = l();
    channels<L, A> co, si;
    if constexpr (L == 1) {
      co = static_cast<A>(cosine[i]), si = static_cast<A>(sine[i]);
    } else {
      co = floats<L>::load(cosine + i), si = floats<L>::load(sine + i);
    }
    si = si * spread<L>(sign);
    const auto a = get<L>(head, i), b = get<L>(head, i + pairs);
    set<L>(head, i, a * co - b * si);
    set<L>(head, i + pairs, b * co + a * si);
  };
  each<A, Lanes>(pairs, one);
}

template <int Heads, class Positions, class V, class A, int Lanes>
TRM_INLINE inline void put(const sink::rotate<Heads, Positions, V>& s, const result_row<A, Lanes>& r) {
  if constexpr (Positions::rotates) {
    constexpr int d = V::width / 3 / Heads;
    const auto& table = rotation_table<Positions, V::max_rows, d>::instance;
    const int turned = std::min(r.n, 2 * Heads * d - r.first);  // q and k, not v
    for (int i = 0; i < turned; i += d)
      turn<Lanes>(r.v + i, table.cosine_of(r.at.row), table.sine_of(r.at.row), d, A(1));
  }
  put(sink::store<V>{s.y}, r);
}

template <class U, class A, int Lanes>
TRM_INLINE inline void put(const sink::sum_with<U>& s, const result_row<A, Lanes>& r) {
  const auto u = row_at(s.u, r);
  view_row<typename U::value_type, U::order> terms[sink::most_states];
  for (int t = 0; t < s.count; ++t) {
    if (t != s.own) terms[t] = row_at(s.terms[t], r);
  }
  each<A, Lanes, U::order>(r.n, [&](int i, auto l) TRM_INLINE {
    const auto term = [&](int t) TRM_INLINE { return t == s.own ? get<l()>(r.v, i) : get<l(), A>(terms[t], i); };
    auto total = term(0);
    for (int t = 1; t < s.split; ++t) total = total + term(t);
    if (s.split < s.count) {
      auto injected = term(s.split);
      for (int t = s.split + 1; t < s.count; ++t) injected = injected + term(t);
      total = total + injected;
    }
    set<l(), A>(u, i, total);
  });
}

template <class Y, class A, int Lanes>
TRM_INLINE inline void put(const sink::store_and_sum<Y>& s, const result_row<A, Lanes>& r) {
  put(sink::store<Y>{s.y}, r);
  if (!s.next) return;
  if constexpr (!std::is_same_v<typename Y::value_type, A>) {  // the sum is of what was stored
    const auto y = row_at(s.y, r);
    each<A, Lanes, Y::order>(r.n, [&](int i, auto l) TRM_INLINE { set<l()>(r.v, i, get<l(), A>(y, i)); });
  }
  put(s.sum, r);
}

template <class Y, class Then, class A, int Lanes>
TRM_INLINE inline void put(const sink::fan_out<Y, Then>& s, const result_row<A, Lanes>& r) {
  for (int t = 0; t < s.count; ++t) {
    if (s.accumulate[t]) {
      put(sink::add<Y>{s.targets[t]}, r);
    } else {
      put(sink::store<Y>{s.targets[t]}, r);
    }
  }
  if (!s.deliver) return;
  if (s.has_pending) add_row(s.pending, r);
  put(s.then, r);
}

}  // namespace trm::cpu::detail

#pragma GCC diagnostic pop
