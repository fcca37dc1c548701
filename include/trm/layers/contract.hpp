// SPDX-License-Identifier: MIT
// The contract of a layer, what most layers share of it, and the concept that checks it.
//
// A layer is a stateless description. `description::at<In, Num>` binds it to the shape of its input and a precision and has
//   out                      the shape of its output
//   needs_output             does entry or backward read y?
//   params<T>                its parameters: `fields(f)` calls f("name", tensor[, init]) or f("name", nested aggregate)
//   saved<M>                 what backward needs of forward; one for each application of the layer, owned by the caller
//   scratch<M>               does not outlive the call
//   forward<M>(c, p, x, s, k, out)               hands y = f(x) to the sink `out`
//   entry(s, y, d)                               the sink through which dy reaches the layer; it leaves its result in d
//   backward(c, p, g, x, y, d, s, k, dx)         adds to the gradients g, hands the gradient of x to the sink `dx`
// backward runs once for each forward and may consume what was saved. When the last product feeds `dx`, d must not be read any more
// but for the row at hand: the layer below may be writing its own gradient there.
#pragma once
#include <concepts>

#include "trm/backend/count.hpp"
#include "trm/core/call.hpp"
#include "trm/core/numerics.hpp"
#include "trm/core/tensor.hpp"
#include "trm/core/view.hpp"
#include "trm/ops/rows.hpp"  // emit, each, each_sample: what layers of one's own are written with
#include "trm/ops/sinks.hpp"

namespace trm {

/// What the gradient needs lies in `saved` when training and in `scratch` otherwise.
template <mode M, class Saved, class Scratch>
constexpr auto& kept(Saved& s, Scratch& k) {
  if constexpr (M == mode::training) {
    return s;
  } else {
    return k;
  }
}

/// For layers whose gradient begins with dy as it is.
struct plain_entry {
  static constexpr bool needs_output = false;
  template <class S, class Y, class D>
  static constexpr auto entry(const S&, Y, D d) {
    return sink::store<D>{d};
  }
};

namespace detail {

template <shape S, class Num>
struct activation {  // a struct of its own: g++ 12 does not survive the alias with a dependent shape
  using type = view<typename Num::activation, S.length, S.width, S.order>;
};

}  // namespace detail

/// The activation of a shape in a precision.
template <shape S, class Num>
using activation_of = typename detail::activation<S, Num>::type;

namespace detail {

/// The types that a layer's functions are called with, for the concept below.
template <class Layer, shape In, class Num>
struct contract {
  using at = bound<Layer, In, Num>;
  using params = typename at::template params<float>;
  using saved = typename at::template saved<mode::training>;
  using scratch = typename at::template scratch<mode::training>;
  using x = activation_of<In, Num>;
  using y = activation_of<at::out, Num>;
  using to_x = sink::store<x>;
  using to_y = sink::store<y>;
};

template <class At>
concept has_memory = requires {
  { At::out } -> std::convertible_to<shape>;
  typename At::template params<float>;
  typename At::template saved<mode::training>;
  typename At::template scratch<mode::training>;
};

template <class C>
concept keeps_contract = requires(const call<count>& c, const typename C::params p, typename C::saved s,
                                  typename C::scratch k, typename C::x x, typename C::y y, typename C::to_x dx,
                                  typename C::to_y out) {
  { C::at::needs_output } -> std::convertible_to<bool>;
  C::at::template forward<mode::training>(c, p, x, s, k, out);
  C::at::entry(s, y, y);
  C::at::backward(c, p, p, x, y, y, s, k, dx);
};

}  // namespace detail

/// Does the description keep the contract for this input? Checked with the backend that computes nothing.
template <class Layer, shape In, class Num>
concept layer = requires {
  typename Layer::template at<In, Num>;
}
&&detail::has_memory<typename Layer::template at<In, Num>>&& detail::keeps_contract<detail::contract<Layer, In, Num>>;

}  // namespace trm
