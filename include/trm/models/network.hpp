// SPDX-License-Identifier: MIT
// The published network and recursion of a configuration, put together from parts.
#pragma once
#include <type_traits>

#include "trm/compose/chain.hpp"
#include "trm/compose/recursion.hpp"
#include "trm/compose/repeat.hpp"
#include "trm/layers/attention.hpp"
#include "trm/layers/over_tokens.hpp"
#include "trm/layers/post_norm.hpp"
#include "trm/layers/swiglu.hpp"
#include "trm/models/config.hpp"

namespace trm {

namespace detail {

template <mask_kind M>
struct mask_type {
  using type = bidirectional;
};
template <>
struct mask_type<mask_kind::causal> {
  using type = causal;
};
template <>
struct mask_type<mask_kind::prefix> {
  using type = prefix_causal;
};

template <architecture A, int H, int L>
struct schedule_type {
  using type = two_state<H, L>;
};
template <int H, int L>
struct schedule_type<architecture::single_state, H, L> {
  using type = single_state<H, L>;
};
template <int H, int L>
struct schedule_type<architecture::six_state, H, L> {
  using type = six_state<H, L>;
};
template <int H, int L>
struct schedule_type<architecture::hrm, H, L> {
  using type = hierarchical<H, L>;
};
template <int H, int L>
struct schedule_type<architecture::transformer, H, L> {
  using type = no_recursion;
};

template <config C, mixing_kind = C.mixing>
struct mixing_type {
  using positions = std::conditional_t<C.positions == position_kind::rope, rope<number(C.rope_theta)>, no_positions>;
  using type =
      named<"self_attn",
            post_norm<attention<C.heads, typename mask_type<C.mask>::type, positions>, number(C.norm_epsilon)>>;
};
template <config C>
struct mixing_type<C, mixing_kind::tokens> {
  using type =
      named<"mlp_t", over_tokens<post_norm<swiglu<number(C.expansion), C.width_multiple>, number(C.norm_epsilon)>>>;
};

}  // namespace detail

/// h = rms(h + mix(h)); h = rms(h + swiglu(h))
template <config C>
using block = chain<typename detail::mixing_type<C>::type,
                    named<"mlp", post_norm<swiglu<number(C.expansion), C.width_multiple>, number(C.norm_epsilon)>>>;

/// The network f of the recursion.
template <config C>
using network = repeat<"layers", C.layers, block<C>>;

/// The recursion schedule of the configuration.
template <config C>
using schedule_of = typename detail::schedule_type<C.architecture, C.h_cycles, C.l_cycles>::type;

namespace detail {

/// The recursion of a configuration over the network Net. Only hrm has a second one, of h_layers layers.
template <config C, class Net, bool = C.architecture == architecture::hrm&& C.h_layers != 0>
struct recursion_type {
  using type = recursion<schedule_of<C>, Net>;
};
template <config C, class Net>
struct recursion_type<C, Net, true> {
  using type = recursion<schedule_of<C>, repeat<"layers", C.h_layers, block<C>>, Net>;
};

}  // namespace detail

/// The recursion over a network of one's own, or the published one.
template <config C, class Net = network<C>>
using recursion_of = typename detail::recursion_type<C, Net>::type;

}  // namespace trm
