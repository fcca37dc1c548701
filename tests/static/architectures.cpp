// SPDX-License-Identifier: MIT
// Every architecture, mixing, mask, loss and halting has a plan, with the parameters it should have.
#include <doctest/doctest.h>

#include <string_view>

#include "trm/models/plan.hpp"

namespace {

constexpr trm::config base{.tokens = 30,
                           .vocab = 9,
                           .hidden = 64,
                           .heads = 4,
                           .h_cycles = 2,
                           .l_cycles = 3,
                           .puzzle_positions = 2,
                           .puzzle_width = 100};
template <class Change>
constexpr trm::config with(Change change) {
  trm::config c = base;
  change(c);
  return c;
}
template <trm::config C>
constexpr bool has_plan =
    trm::plan<trm::model<C, float>>(2).total() > 0 && trm::plan<trm::model<C, trm::bf16>>(2).flops > 0 &&
    trm::inference_plan<trm::model<C, float>>(2).total() > 0;

constexpr std::size_t heads = 2 * 9 * 64 + 2 * 64 + 2;  // embedding, token head, Q head
constexpr std::size_t feed_forward = 3 * 64 * 256, attention = 4 * 64 * 64, mixer = 3 * 32 * 256;  // of one layer
template <trm::config C>
constexpr std::size_t parameters = trm::model<C>::parameter_count;

static_assert(trm::swiglu_width(4, 512) == 1536 && trm::swiglu_width(4, 128) == 512);  // as published
static_assert(trm::swiglu_width(8.0 / 3, 64, 16) == 128 && trm::swiglu_width(8.0 / 3, 36, 16) == 64);
constexpr trm::config narrow = with([](trm::config& c) { c.expansion = 2, c.width_multiple = 8; });
static_assert(has_plan<narrow>);
static_assert(parameters<narrow> == heads + 2 * (3 * 64 * 88 + attention));

static_assert(has_plan<base>);
static_assert(parameters<base> == heads + 2 * (feed_forward + attention));

constexpr auto single = with([](auto& c) { c.architecture = trm::architecture::single_state; });
static_assert(has_plan<single>);
static_assert(parameters<single> == parameters<base>);
static_assert(trm::model<single>::core::state_count == 1);

constexpr auto six = with([](auto& c) { c.architecture = trm::architecture::six_state; });
static_assert(has_plan<six>);
static_assert(parameters<six> == parameters<base>);
static_assert(trm::model<six>::constant_table.size() == 7);

constexpr auto hrm = with([](auto& c) { c.architecture = trm::architecture::hrm, c.h_layers = 3; });
static_assert(has_plan<hrm>);
static_assert(parameters<hrm> == heads + 5 * (feed_forward + attention));
static_assert(trm::model<hrm>::core::flow::count == 2);  // gradient through the last call of each network
constexpr auto even_hrm = with([](auto& c) { c.architecture = trm::architecture::hrm; });
static_assert(parameters<even_hrm> == heads + 4 * (feed_forward + attention));

constexpr auto transformer = with([](auto& c) { c.architecture = trm::architecture::transformer, c.layers = 8; });
static_assert(has_plan<transformer>);
static_assert(parameters<transformer> == heads + 8 * (feed_forward + attention));
static_assert(trm::model<transformer>::schedule::applications.size() == 1);

constexpr auto tokens = with([](auto& c) { c.mixing = trm::mixing_kind::tokens, c.heads = 0; });
static_assert(has_plan<tokens>);
static_assert(parameters<tokens> == heads + 2 * (feed_forward + mixer));

constexpr auto learned = with([](auto& c) { c.positions = trm::position_kind::learned; });
static_assert(has_plan<learned>);
static_assert(parameters<learned> == parameters<base> + 32 * 64);

constexpr auto masked = with([](auto& c) { c.mask = trm::mask_kind::prefix, c.loss = trm::loss_kind::softmax; });
static_assert(has_plan<masked>);
static_assert(parameters<masked> == parameters<base>);
// What a mask saves is not counted, by the convention.
static_assert(trm::count_training_step<trm::model<masked>>(1).flops() ==
              trm::count_training_step<trm::model<base>>(1).flops());

// q_continue costs a forward pass of the whole step, and its memory.
constexpr auto go_on = with([](auto& c) { c.halting = trm::halting_kind::q_continue; });
static_assert(has_plan<go_on>);
constexpr double forward =
    trm::count_inference_step<trm::model<base>>(1).flops() - 2.0 * 30 * 64 * 9;  // without the token head
static_assert(trm::count_training_step<trm::model<go_on>>(1).flops() ==
              trm::count_training_step<trm::model<base>>(1).flops() + forward);
static_assert(trm::plan<trm::model<go_on>>(1).activations > trm::plan<trm::model<base>>(1).activations);
static_assert(trm::plan<trm::model<go_on>>(1).parameters == trm::plan<trm::model<base>>(1).parameters);

constexpr auto fixed =
    with([](auto& c) { c.halting = trm::halting_kind::fixed, c.puzzle_positions = c.puzzle_width = 0; });
static_assert(has_plan<fixed>);
static_assert(trm::model<fixed>::L == 30);
static_assert(parameters<fixed> == parameters<base>);  // the puzzle table is not among them

// A model in double, for checks of gradients.
static_assert(trm::plan<trm::model<base, double>>(2).carry == 2 * trm::plan<trm::model<base, float>>(2).carry);

// A structural type: the same values are the same model.
static_assert(std::is_same_v<trm::model<base>, trm::model<with([](auto&) {})>>);
static_assert(!std::is_same_v<trm::model<base>, trm::model<single>>);

/// Offsets are aligned, ascending and without overlap, and names differ.
template <class Model>
constexpr bool sound() {
  std::size_t end = 0;
  for (const auto& e : Model::table) {
    if (e.offset % trm::parameter_alignment != 0 || e.offset < end || e.count == 0 ||
        e.name().substr(0, 12) != "model.inner.")
      return false;
    end = e.offset + e.count;
    for (const auto& o : Model::table) {
      if (&o != &e && o.name() == e.name()) return false;
    }
  }
  return end <= Model::extent;
}
static_assert(sound<trm::model<base>>() && sound<trm::model<hrm>>() && sound<trm::model<six>>() &&
              sound<trm::model<learned>>());

}  // namespace

TEST_CASE("every variant of a model has a plan") { CHECK(has_plan<base>); }
