// SPDX-License-Identifier: MIT
// Sinks: what becomes of the rows that an operation produces. Data only; a backend applies them, fused or not.
//
// A layer never stores its result: it hands it to the sink that its parent passed, and the same for the gradient of its
// input. Below, v is one row of the result; views are read and written at the place (sample, row) of v.
#pragma once
#include <type_traits>

#include "trm/core/view.hpp"

namespace trm::sink {

/// How much of a row must be present at once to apply a sink: an element, a pair (the same place in the two halves of a row, or of a
/// head), or the whole row.
enum class grain { element, pair, row };

/// What two sinks need together.
constexpr grain coarser(grain a, grain b) { return a < b ? b : a; }

/// y = v
template <class Y>
struct store {
  static constexpr grain needs = grain::element;
  Y y;
};

/// y += v
template <class Y>
struct add {
  static constexpr grain needs = grain::element;
  Y y;
};

/// then(v + other)
template <class Other, class Then>
struct plus {
  static constexpr grain needs = Then::needs;
  Other other;
  Then then;
};

/// Residual and RMSNorm without weights (post-norm, arXiv 1910.07467):
/// h = x + v, r = 1/sqrt(mean(h^2) + eps), then(h * r). r is kept where a view is given.
template <class X, class R, class Then>
struct add_norm {
  static constexpr grain needs = grain::row;
  X x;
  R r;
  double eps;
  Then then;
};

/// The gradient of y = h * r with respect to h, from v = dy: then(r * (v - y * mean(y * v))). Only y and r are needed.
template <class Y, class R, class Then>
struct norm_gradient {
  static constexpr grain needs = grain::row;
  Y y;
  R r;
  Then then;
};

/// v = [gate | up]: h = silu(gate) * up, silu(x) = x * sigmoid(x). gate_up = v where a view is given.
template <class GateUp, class H>
struct swiglu {
  static constexpr grain needs = grain::pair;
  GateUp gate_up;
  H h;
};

/// v = dh: gate_up is replaced by its gradient, h is computed again.
template <class GateUp, class H>
struct swiglu_gradient {
  static constexpr grain needs = grain::pair;
  GateUp gate_up;
  H h;
};

/// h = F::value(v), pre = v where a view is given. F is any pointwise function with a derivative:
///   struct F { template <class A> static A value(A); template <class A> static A derivative(A); };
template <class F, class Pre, class H>
struct activate {
  static constexpr grain needs = grain::element;
  Pre pre;
  H h;
};

/// v = dh: h = F::value(pre) again, then pre = v * F::derivative(pre).
template <class F, class Pre, class H>
struct activate_gradient {
  static constexpr grain needs = grain::element;
  Pre pre;
  H h;
};

/// v = [q | k | v] of every head, as the fused projection makes it: q and k are rotated by the row's position (RoPE,
/// rotate-half, arXiv 2104.09864), then stored.
template <int Heads, class Positions, class Y>
struct rotate {
  static constexpr grain needs = grain::pair;
  Y y;  // [B, rows, q | k | v of all heads]
};

/// The most terms (states and the input) that one application may sum.
inline constexpr int most_states = 8;

/// The input of an application: u = (sum of the first `split` terms) + (sum of the others), in order, where term `own` is v and the
/// others are views. The order of the sums is the published one, so that rounding agrees.
template <class U>
struct sum_with {
  static constexpr grain needs = grain::element;
  U u;
  int count = 1, split = 1, own = 0;  // terms; terms of the first sum; place of v among them
  U terms[most_states]{};
};

/// y = v, and, when `next` is set, what the next application reads: a sum with y, rounded as stored.
template <class Y>
struct store_and_sum {
  static constexpr grain needs = grain::element;
  Y y;
  bool next = false;
  sum_with<Y> sum{};
};

/// A gradient that reaches several states: for every target y = v or y += v; then, when `deliver` is set,
/// then(v + pending), pending only where it is present.
template <class Y, class Then>
struct fan_out {
  static constexpr grain needs = coarser(grain::element, Then::needs);
  int count = 0;                   // of targets
  Y targets[most_states]{};        // the first `count` are set
  bool accumulate[most_states]{};  // of each target: += instead of =
  bool deliver = false;
  bool has_pending = false;  // is `pending` present?
  Y pending{};
  Then then;
};

/// Can the sink be applied to any part of a row?
template <class S>
inline constexpr bool elementwise = S::needs == grain::element;

/// The same sink for the same memory with rows and channels exchanged. Element-wise sinks only.
template <class Y>
constexpr auto flip(store<Y> s) {
  auto y = trm::flip(s.y);
  return store<decltype(y)>{y};
}
template <class Y>
constexpr auto flip(add<Y> s) {
  auto y = trm::flip(s.y);
  return add<decltype(y)>{y};
}
template <class O, class T>
constexpr auto flip(plus<O, T> s) {
  auto other = trm::flip(s.other);
  auto then = flip(s.then);
  return plus<decltype(other), decltype(then)>{other, then};
}
template <class F, class P, class H>
constexpr auto flip(activate<F, P, H> s) {
  auto pre = trm::flip(s.pre);
  auto h = trm::flip(s.h);
  return activate<F, decltype(pre), decltype(h)>{pre, h};
}
template <class F, class P, class H>
constexpr auto flip(activate_gradient<F, P, H> s) {
  auto pre = trm::flip(s.pre);
  auto h = trm::flip(s.h);
  return activate_gradient<F, decltype(pre), decltype(h)>{pre, h};
}
template <class U>
constexpr auto flip(sum_with<U> s) {
  sum_with<decltype(trm::flip(s.u))> f{trm::flip(s.u), s.count, s.split, s.own, {}};
  for (int i = 0; i < s.count; ++i) f.terms[i] = trm::flip(s.terms[i]);
  return f;
}
template <class Y>
constexpr auto flip(store_and_sum<Y> s) {
  return store_and_sum<decltype(trm::flip(s.y))>{trm::flip(s.y), s.next, flip(s.sum)};
}

}  // namespace trm::sink
