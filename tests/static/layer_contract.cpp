// SPDX-License-Identifier: MIT
// Which descriptions keep the contract of a layer, and what they become when bound.
#include <doctest/doctest.h>

#include <algorithm>

#include "trm/compose/chain.hpp"
#include "trm/compose/recompute.hpp"
#include "trm/compose/repeat.hpp"
#include "trm/core/parameters.hpp"
#include "trm/layers/attention.hpp"
#include "trm/layers/linear.hpp"
#include "trm/layers/mlp.hpp"
#include "trm/layers/over_tokens.hpp"
#include "trm/layers/post_norm.hpp"
#include "trm/layers/swiglu.hpp"

namespace {

constexpr trm::shape input{4, 8};
using num = trm::numerics<float>;
template <class L>
inline constexpr bool keeps = trm::layer<L, input, num>&& trm::layer<L, input, trm::numerics<trm::bf16>>&&
    trm::layer<L, input, trm::numerics<double>>;

using attention = trm::post_norm<trm::attention<2>>;
using mlp = trm::post_norm<trm::swiglu<4>>;
using block = trm::chain<trm::named<"self_attn", attention>, trm::named<"mlp", mlp>>;

static_assert(keeps<trm::linear<3>>);
static_assert(keeps<trm::linear<3, trm::bias::zero>>);
static_assert(keeps<trm::attention<2, trm::causal>>);
static_assert(keeps<trm::attention<2, trm::prefix_causal, trm::no_positions>>);
static_assert(keeps<trm::swiglu<4>>);
static_assert(keeps<trm::mlp<5>>);
static_assert(keeps<mlp>);
static_assert(keeps<trm::over_tokens<mlp>>);
static_assert(keeps<block>);
static_assert(keeps<trm::repeat<"layers", 3, block>>);
static_assert(keeps<trm::recompute<block>>);
static_assert(keeps<trm::chain<trm::named<"a", trm::linear<3>>, trm::named<"b", trm::linear<5>>>>);

/// A layer without parameters: y = 2 x. Each description below breaks one promise.
struct doubled {
  template <trm::shape In, class Num>
  struct at : trm::plain_entry {
    static constexpr trm::shape out = In;
    template <class T>
    using params = trm::empty;
    template <trm::mode>
    using saved = trm::empty;
    template <trm::mode>
    using scratch = trm::empty;
    template <trm::mode M, class B, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const trm::call<B>& c, const P&, X x, S&, K&, Sink sink) {
      trm::ops::emit(c, x, trm::sink::plus<X, Sink>{x, sink});
    }
    template <class B, class P, class G, class X, class Y, class D, class S, class K, class Sink>
    static constexpr void backward(const trm::call<B>& c, const P&, const G&, X, Y, D d, S&, K&, Sink dx) {
      trm::ops::emit(c, d, trm::sink::plus<D, Sink>{d, dx});
    }
  };
};
static_assert(keeps<doubled>);

struct without_backward {
  template <trm::shape In, class Num>
  struct at : trm::plain_entry {
    static constexpr trm::shape out = In;
    template <class T>
    using params = trm::empty;
    template <trm::mode>
    using saved = trm::empty;
    template <trm::mode>
    using scratch = trm::empty;
    template <trm::mode M, class B, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const trm::call<B>& c, const P&, X x, S&, K&, Sink sink) {
      trm::ops::emit(c, x, sink);
    }
  };
};
static_assert(!keeps<without_backward>);

struct without_output_shape {
  template <trm::shape In, class Num>
  struct at : trm::plain_entry {};
};
struct not_a_description {};
static_assert(!trm::layer<without_output_shape, input, num>);
static_assert(!trm::layer<not_a_description, input, num>);
static_assert(!trm::layer<int, input, num>);

// Shapes
template <class L>
inline constexpr trm::shape out_of = trm::bound<L, input, num>::out;
static_assert(out_of<trm::linear<3>> == trm::shape{4, 3});
static_assert(out_of<block> == input);
static_assert(out_of<trm::over_tokens<mlp>> == input);
static_assert(out_of<trm::chain<trm::named<"a", trm::linear<3>>, trm::named<"b", trm::linear<5>>>> == trm::shape{4, 5});

// swiglu's inner width: 2/3 of expansion * width, half to even, up to a multiple of 256
static_assert(trm::swiglu_width(4, 512) == 1536);
static_assert(trm::swiglu_width(4, 97) == 512);  // 258.67
static_assert(trm::swiglu_width(4, 96) == 256);  // exactly 256
static_assert(trm::swiglu_width(4, 32) == 256);
static_assert(trm::swiglu_width(4, 128) == 512);   // 341.33
static_assert(trm::swiglu_width(4, 916) == 2560);  // 2442.67
static_assert(trm::swiglu_width(1, 384) == 256);
static_assert(trm::swiglu_width(0.75, 513) == 256);  // 256.5 rounds to the even 256
static_assert(trm::swiglu_width(0.75, 515) == 512);  // 257.5 to 258
static_assert(trm::swiglu_width(2, 577) == 1024);    // 769.33

// Memory: every view and parameter begins on its boundary, siblings' scratch shares its place, what they save does not
template <class L>
using bound_to = trm::bound<L, input, num>;
constexpr std::size_t saved_bytes(auto layer) {
  return trm::sample_bytes<typename decltype(layer)::template saved<trm::mode::training>>();
}
constexpr std::size_t scratch_bytes(auto layer) {
  return trm::sample_bytes<typename decltype(layer)::template scratch<trm::mode::training>>();
}
static_assert(saved_bytes(bound_to<block>{}) % trm::alignment == 0);
static_assert(saved_bytes(bound_to<block>{}) == saved_bytes(bound_to<attention>{}) + saved_bytes(bound_to<mlp>{}) +
                                                    trm::round_up(4 * 8 * sizeof(float), trm::alignment));
static_assert(scratch_bytes(bound_to<block>{}) ==
              std::max(scratch_bytes(bound_to<attention>{}), scratch_bytes(bound_to<mlp>{})) +
                  trm::round_up(4 * 8 * sizeof(float), trm::alignment));
static_assert(saved_bytes(bound_to<trm::repeat<"l", 3, block>>{}) ==
              3 * saved_bytes(bound_to<block>{}) + 2 * trm::round_up(4 * 8 * sizeof(float), trm::alignment));
static_assert(scratch_bytes(bound_to<trm::repeat<"l", 3, block>>{}) ==
              scratch_bytes(bound_to<trm::repeat<"l", 9, block>>{}));
static_assert(trm::sample_bytes<bound_to<block>::saved<trm::mode::inference>>() == 0);

constexpr auto table = trm::parameter_table<bound_to<trm::repeat<"layers", 2, block>>::params<float>>();
constexpr bool aligned_and_apart() {
  std::size_t at = 0;
  for (const auto& e : table) {
    if (e.offset % trm::parameter_alignment != 0 || e.offset != at) return false;
    at = trm::round_up(e.offset + e.count, trm::parameter_alignment);
  }
  return at == trm::parameter_extent<bound_to<trm::repeat<"layers", 2, block>>::params<float>>();
}
static_assert(aligned_and_apart());
static_assert(table.size() == 8);
static_assert(table[0].name() == "layers.0.self_attn.qkv_proj.weight");
static_assert(table[7].name() == "layers.1.mlp.down_proj.weight");
static_assert(table[0].rank == 2 && table[0].extents[0] == 24 && table[0].extents[1] == 8 && table[0].is_matrix);

// A layer counts itself: the backend that computes nothing runs at compile time.
constexpr trm::count work = [] {
  trm::count k;
  const trm::call<trm::count> c{k, 3, 4};
  using l = bound_to<trm::linear<5, trm::bias::zero>>;
  trm::empty s, scratch;
  l::forward<trm::mode::training>(c, l::params<float>{}, trm::view<float, 4, 8>{}, s, scratch,
                                  trm::sink::store<trm::view<float, 4, 5>>{});
  return k;
}();
static_assert(work.products == 1 && work.product_flops == 2.0 * 3 * 4 * 5 * 8 && work.element_sinks == 1);

}  // namespace

TEST_CASE("the contract is checked by the compiler") { CHECK(keeps<block>); }
