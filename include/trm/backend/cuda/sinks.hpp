// SPDX-License-Identifier: MIT
// Sinks on a device: a sink's views lose their extents (lower), and what is left is applied to a tile of rows (put).
#pragma once
#include <cmath>
#include <type_traits>

#include "trm/backend/cuda/rows.hpp"
#include "trm/ops/sinks.hpp"

namespace trm::cuda::detail {

/// sink::rotate with its tables, [rows, pairs], in device memory.
template <class Y>
struct rotate_rows {
  static constexpr sink::grain needs = sink::grain::pair;
  Y y;
  const float *cosine = nullptr, *sine = nullptr;  // null: nothing turns
  int heads = 0, pairs = 0;
};

// ---- lower: the same sink of strided views ----

/// What lowering a sink needs to know, and finds out. Tables has `template table<Positions, Rows, HeadDim>()`, the cosines and then the
/// sines in device memory.
template <class Tables>
struct lowering {
  Tables& tables;
  int rows;             // of the call
  bool across = false;  // is any view channels_first?

  template <class T, int R, int W, layout Order>
  auto operator()(const view<T, R, W, Order>& v) {
    across = across || Order == layout::channels_first;
    return strided(v, rows);
  }
  absent operator()(absent) { return {}; }
};

template <class Y, class L>
auto lower(const sink::store<Y>& s, L& l) {
  return sink::store<decltype(l(s.y))>{l(s.y)};
}
template <class Y, class L>
auto lower(const sink::add<Y>& s, L& l) {
  return sink::add<decltype(l(s.y))>{l(s.y)};
}
template <class Other, class Then, class L>
auto lower(const sink::plus<Other, Then>& s, L& l) {
  const auto then = lower(s.then, l);
  return sink::plus<decltype(l(s.other)), std::remove_const_t<decltype(then)>>{l(s.other), then};
}
template <class X, class R, class Then, class L>
auto lower(const sink::add_norm<X, R, Then>& s, L& l) {
  const auto then = lower(s.then, l);
  return sink::add_norm<decltype(l(s.x)), decltype(l(s.r)), std::remove_const_t<decltype(then)>>{l(s.x), l(s.r), s.eps,
                                                                                                 then};
}
template <class Y, class R, class Then, class L>
auto lower(const sink::norm_gradient<Y, R, Then>& s, L& l) {
  const auto then = lower(s.then, l);
  return sink::norm_gradient<decltype(l(s.y)), decltype(l(s.r)), std::remove_const_t<decltype(then)>>{l(s.y), l(s.r),
                                                                                                      then};
}
template <class G, class H, class L>
auto lower(const sink::swiglu<G, H>& s, L& l) {
  return sink::swiglu<decltype(l(s.gate_up)), decltype(l(s.h))>{l(s.gate_up), l(s.h)};
}
template <class G, class H, class L>
auto lower(const sink::swiglu_gradient<G, H>& s, L& l) {
  return sink::swiglu_gradient<decltype(l(s.gate_up)), decltype(l(s.h))>{l(s.gate_up), l(s.h)};
}
template <class F, class P, class H, class L>
auto lower(const sink::activate<F, P, H>& s, L& l) {
  return sink::activate<F, decltype(l(s.pre)), decltype(l(s.h))>{l(s.pre), l(s.h)};
}
template <class F, class P, class H, class L>
auto lower(const sink::activate_gradient<F, P, H>& s, L& l) {
  return sink::activate_gradient<F, decltype(l(s.pre)), decltype(l(s.h))>{l(s.pre), l(s.h)};
}
template <int Heads, class Positions, class Y, class L>
auto lower(const sink::rotate<Heads, Positions, Y>& s, L& l) {
  rotate_rows<decltype(l(s.y))> out{l(s.y)};
  if constexpr (Positions::rotates) {
    constexpr int d = Y::width / 3 / Heads;
    out.cosine = l.tables.template table<Positions, Y::max_rows, d>();
    out.sine = out.cosine + static_cast<std::ptrdiff_t>(Y::max_rows) * (d / 2);
    out.heads = Heads, out.pairs = d / 2;
  }
  return out;
}
template <class U, class L>
auto lower(const sink::sum_with<U>& s, L& l) {
  sink::sum_with<decltype(l(s.u))> out{l(s.u), s.count, s.split, s.own, {}};
  for (int i = 0; i < s.count; ++i) out.terms[i] = l(s.terms[i]);
  return out;
}
template <class Y, class L>
auto lower(const sink::store_and_sum<Y>& s, L& l) {
  return sink::store_and_sum<decltype(l(s.y))>{l(s.y), s.next, lower(s.sum, l)};
}
template <class Y, class Then, class L>
auto lower(const sink::fan_out<Y, Then>& s, L& l) {
  const auto then = lower(s.then, l);
  sink::fan_out<decltype(l(s.pending)), std::remove_const_t<decltype(then)>> out{
      s.count, {}, {}, s.deliver, s.has_pending, l(s.pending), then};
  for (int i = 0; i < s.count; ++i) out.targets[i] = l(s.targets[i]), out.accumulate[i] = s.accumulate[i];
  return out;
}

// ---- put: every thread of the block calls it; what is in the tile may be overwritten ----

/// 1 / (1 + exp(-x))
template <class A>
TRM_HD A logistic(A x) {
  return A(1) / (A(1) + std::exp(-x));
}

template <class Y, class Block, class A>
TRM_HD void put(const sink::store<Y>& s, const row_tile<Block, A>& t) {
  each<Y::order>(t, t.n, [&](row_place p, A* v, int i) { s.y.at(p, i) = static_cast<typename Y::value_type>(v[i]); });
}

template <class Y, class Block, class A>
TRM_HD void put(const sink::add<Y>& s, const row_tile<Block, A>& t) {
  each<Y::order>(t, t.n, [&](row_place p, A* v, int i) {
    s.y.at(p, i) = static_cast<typename Y::value_type>(static_cast<A>(s.y.at(p, i)) + v[i]);
  });
}

/// tile += the rows of a view
template <class V, class Block, class A>
TRM_HD void add_rows(const V& x, const row_tile<Block, A>& t) {
  each<V::order>(t, t.n, [&](row_place p, A* v, int i) { v[i] += static_cast<A>(x.at(p, i)); });
}

template <class Other, class Then, class Block, class A>
TRM_HD void put(const sink::plus<Other, Then>& s, const row_tile<Block, A>& t) {
  add_rows(s.other, t);
  put(s.then, t);
}

template <class X, class R, class Then, class Block, class A>
TRM_HD void put(const sink::add_norm<X, R, Then>& s, const row_tile<Block, A>& t) {
  add_rows(s.x, t);
  each_row(t, [&](row_place p, A* v, int lane) {
    A square = 0;
    for (int i = lane; i < t.n; i += warp_size) square += v[i] * v[i];
    const A mean = warp_sum(t.block, square) / static_cast<A>(t.n);
    const A scale = A(1) / std::sqrt(mean + static_cast<A>(s.eps));
    if constexpr (is_present<R>) {
      if (lane == 0) s.r.at(p, 0) = static_cast<typename R::value_type>(scale);
    }
    for (int i = lane; i < t.n; i += warp_size) v[i] *= scale;
  });
  put(s.then, t);
}

template <class Y, class R, class Then, class Block, class A>
TRM_HD void put(const sink::norm_gradient<Y, R, Then>& s, const row_tile<Block, A>& t) {
  each_row(t, [&](row_place p, A* v, int lane) {
    A dot = 0;
    for (int i = lane; i < t.n; i += warp_size) dot += static_cast<A>(s.y.at(p, i)) * v[i];
    const A mean = warp_sum(t.block, dot) / static_cast<A>(t.n), scale = static_cast<A>(s.r.at(p, 0));
    for (int i = lane; i < t.n; i += warp_size) v[i] = scale * (v[i] - static_cast<A>(s.y.at(p, i)) * mean);
  });
  put(s.then, t);
}

template <class G, class H, class Block, class A>
TRM_HD void put(const sink::swiglu<G, H>& s, const row_tile<Block, A>& t) {
  const int half = t.n / 2;
  if constexpr (is_present<G>) put(sink::store<G>{s.gate_up}, t);
  each<H::order>(t, half, [&](row_place p, A* v, int i) {
    s.h.at(p, i) = static_cast<typename H::value_type>(v[i] * logistic(v[i]) * v[half + i]);
  });
}

template <class G, class H, class Block, class A>
TRM_HD void put(const sink::swiglu_gradient<G, H>& s, const row_tile<Block, A>& t) {
  using T = typename G::value_type;
  each<G::order>(t, t.n, [&](row_place p, A* v, int i) {
    T &gate_at = s.gate_up.at(p, i), &up_at = s.gate_up.at(p, t.n + i);
    const A gate = static_cast<A>(gate_at), up = static_cast<A>(up_at), sigmoid = logistic(gate), act = gate * sigmoid;
    s.h.at(p, i) = static_cast<typename H::value_type>(act * up);
    gate_at = static_cast<T>(v[i] * up * (sigmoid + act * (A(1) - sigmoid)));
    up_at = static_cast<T>(v[i] * act);
  });
}

template <class F, class P, class H, class Block, class A>
TRM_HD void put(const sink::activate<F, P, H>& s, const row_tile<Block, A>& t) {
  each<H::order>(t, t.n, [&](row_place p, A* v, int i) {
    if constexpr (is_present<P>) s.pre.at(p, i) = static_cast<typename P::value_type>(v[i]);
    s.h.at(p, i) = static_cast<typename H::value_type>(F::value(v[i]));
  });
}

template <class F, class P, class H, class Block, class A>
TRM_HD void put(const sink::activate_gradient<F, P, H>& s, const row_tile<Block, A>& t) {
  each<H::order>(t, t.n, [&](row_place p, A* v, int i) {
    const A pre = static_cast<A>(s.pre.at(p, i));
    s.h.at(p, i) = static_cast<typename H::value_type>(F::value(pre));
    s.pre.at(p, i) = static_cast<typename P::value_type>(v[i] * F::derivative(pre));
  });
}

/// Turns the pairs (i, i + pairs) of one of a row's heads by the angles of row `row`; sign -1 turns back. `pair` counts those of all heads.
template <class A>
TRM_HD void turn(A* v, int pair, int row, const float* cosine, const float* sine, int pairs, A sign) {
  const int head = pair / pairs, i = pair % pairs, at = row * pairs + i;
  const A co = static_cast<A>(cosine[at]), si = sign * static_cast<A>(sine[at]);
  A &a = v[head * 2 * pairs + i], &b = v[head * 2 * pairs + i + pairs];
  const A first = a * co - b * si, second = b * co + a * si;
  a = first, b = second;
}

template <class Y, class Block, class A>
TRM_HD void put(const rotate_rows<Y>& s, const row_tile<Block, A>& t) {
  if (s.cosine != nullptr) {  // q and k, not v
    each<layout::channels_last>(t, 2 * s.heads * s.pairs, [&](row_place p, A* v, int pair) {
      turn(v, pair, p.row, s.cosine, s.sine, s.pairs, A(1));
    });
  }
  put(sink::store<Y>{s.y}, t);
}

template <class U, class Block, class A>
TRM_HD void put(const sink::sum_with<U>& s, const row_tile<Block, A>& t) {
  each<U::order>(t, t.n, [&](row_place p, A* v, int i) {
    const auto term = [&](int k) { return k == s.own ? v[i] : static_cast<A>(s.terms[k].at(p, i)); };
    A total = term(0);
    for (int k = 1; k < s.split; ++k) total += term(k);
    if (s.split < s.count) {
      A others = term(s.split);
      for (int k = s.split + 1; k < s.count; ++k) others += term(k);
      total += others;
    }
    s.u.at(p, i) = static_cast<typename U::value_type>(total);
  });
}

template <class Y, class Block, class A>
TRM_HD void put(const sink::store_and_sum<Y>& s, const row_tile<Block, A>& t) {
  using T = typename Y::value_type;
  each<Y::order>(t, t.n, [&](row_place p, A* v, int i) {
    const T y = static_cast<T>(v[i]);
    s.y.at(p, i) = y;
    v[i] = static_cast<A>(y);  // the sum is of what was stored
  });
  if (s.next) put(s.sum, t);
}

template <class Y, class Then, class Block, class A>
TRM_HD void put(const sink::fan_out<Y, Then>& s, const row_tile<Block, A>& t) {
  for (int k = 0; k < s.count; ++k) {
    if (s.accumulate[k]) {
      put(sink::add<Y>{s.targets[k]}, t);
    } else {
      put(sink::store<Y>{s.targets[k]}, t);
    }
  }
  if (!s.deliver) return;
  if (s.has_pending) add_rows(s.pending, t);
  put(s.then, t);
}

}  // namespace trm::cuda::detail
