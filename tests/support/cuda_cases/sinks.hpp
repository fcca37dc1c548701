// SPDX-License-Identifier: MIT
// Every sink on a device, given the rows of a view.
#pragma once
#include "support/cuda_cases/compare.hpp"
#include "trm/layers/mlp.hpp"
#include "trm/ops/rope.hpp"
#include "trm/ops/rows.hpp"
#include "trm/ops/sinks.hpp"

namespace trm::cuda::testing {

inline constexpr int sink_rows = 9, sink_width = 42;  // more than a warp, no multiple of anything

/// x is given; y, z, u are read and written.
template <class T>
struct row_memory {
  view<T, sink_rows, sink_width> x, y, z, u;
  view<accumulator<T>, sink_rows, 1> r;
  view<T, sink_rows, 2 * sink_width> wide;
  view<T, sink_rows, sink_width / 2> narrow;
  template <class F>
  constexpr void fields(F&& f) {
    f("x", x), f("y", y), f("z", z), f("u", u), f("r", r), f("wide", wide), f("narrow", narrow);
  }
};

/// The sinks that hand rows to memory, alone and in each other, as models use them.
template <class T, class Device>
void check_sinks(Device& d) {
  using sink::store;
  const extents e{3, 7, {}, {}};
  const auto with = [&](double bound, auto make) {
    compare<T, row_memory>(d, e, bound, [&](const auto& c, auto& m, const auto&...) { ops::emit(c, m.x, make(m)); });
  };
  with(0, [](auto& m) { return store<decltype(m.y)>{m.y}; });
  with(bound_of<T>(1, 1), [](auto& m) { return sink::add<decltype(m.y)>{m.y}; });
  with(bound_of<T>(1, 2), [](auto& m) { return sink::plus<decltype(m.y), store<decltype(m.z)>>{m.y, {m.z}}; });
  // The sum of squares has no cancellation: its error is of as many roundings as it has terms, halved by the root.
  with(bound_of<T>(1, sink_width / 2.0 + 5), [](auto& m) {
    return sink::add_norm<decltype(m.y), decltype(m.r), store<decltype(m.z)>>{m.y, m.r, 1e-5, {m.z}};
  });
  with(bound_of<T>(1, sink_width / 2.0 + 5), [](auto& m) {
    return sink::add_norm<decltype(m.y), absent, store<decltype(m.y)>>{m.y, {}, 1e-5, {m.y}};  // in place
  });
  with(bound_of<T>(1, steps_of_sum(sink_width)), [](auto& m) {
    return sink::norm_gradient<decltype(m.y), decltype(m.r), store<decltype(m.z)>>{m.y, m.r, {m.z}};
  });
  with(bound_of<T>(1, 8), [](auto& m) { return sink::swiglu_gradient<decltype(m.wide), decltype(m.y)>{m.wide, m.y}; });
  with(bound_of<T>(1, 8), [](auto& m) { return sink::swiglu<absent, decltype(m.narrow)>{{}, m.narrow}; });
  with(bound_of<T>(1, 8), [](auto& m) { return sink::swiglu<decltype(m.y), decltype(m.narrow)>{m.y, m.narrow}; });
  with(bound_of<T>(1, 3), [](auto& m) { return sink::activate<squared_relu, decltype(m.y), decltype(m.z)>{m.y, m.z}; });
  with(bound_of<T>(1, 3), [](auto& m) {
    return sink::activate_gradient<squared_relu, decltype(m.y), decltype(m.z)>{m.y, m.z};
  });
  with(bound_of<T>(1, 4), [](auto& m) { return sink::rotate<1, rope<>, decltype(m.y)>{m.y}; });
  with(0, [](auto& m) { return sink::rotate<1, no_positions, decltype(m.y)>{m.y}; });
}

/// Sums of states, with and without a gradient.
template <class T, class Device>
void check_recursion_sinks(Device& d) {
  const extents e{2, 9, {}, {}};
  const auto with = [&](double bound, auto make) {
    compare<T, row_memory>(d, e, bound, [&](const auto& c, auto& m, const auto&...) { ops::emit(c, m.x, make(m)); });
  };
  for (int own = 0; own < 3; ++own) {
    with(bound_of<T>(1, 3), [&](auto& m) {
      sink::sum_with<decltype(m.x)> s{m.u, 3, 2, own, {m.y, m.y, m.z}};
      return s;
    });
  }
  for (bool next : {false, true}) {
    with(bound_of<T>(1, 3), [&](auto& m) {
      return sink::store_and_sum<decltype(m.x)>{m.y, next, {m.u, 2, 1, 1, {m.z, m.z}}};
    });
  }
  for (bool deliver : {false, true}) {
    with(bound_of<T>(1, steps_of_sum(sink_width)), [&](auto& m) {
      using then = sink::norm_gradient<decltype(m.x), decltype(m.r), sink::store<decltype(m.x)>>;
      sink::fan_out<decltype(m.x), then> s{2, {m.y, m.z}, {true, false}, deliver, deliver, m.x, {m.x, m.r, {m.u}}};
      return s;
    });
  }
}

/// Views whose rows, not channels, lie side by side, as the token mixer sees them; more rows than a block takes.
template <class T>
struct flipped_memory {
  view<T, 5, 70> x, y, z;
  view<accumulator<T>, 70, 1, layout::channels_first> r;
  template <class F>
  constexpr void fields(F&& f) {
    f("x", x), f("y", y), f("z", z), f("r", r);
  }
};
template <class T, class Device>
void check_flipped_sinks(Device& d) {
  const auto with = [&](double bound, auto make) {
    compare<T, flipped_memory>(d, {2, 5, {}, {}}, bound, [&](const auto& c, auto& m, const auto&...) {
      ops::emit(c.with_rows(70), flip(m.x), make(m));
    });
  };
  with(0, [](auto& m) { return flip(sink::store<decltype(m.y)>{m.y}); });
  with(bound_of<T>(1, 2), [](auto& m) {
    return flip(sink::plus<decltype(m.y), sink::store<decltype(m.z)>>{m.y, {m.z}});
  });
  with(bound_of<T>(1, 8), [](auto& m) {
    using view = decltype(flip(m.y));
    return sink::add_norm<view, decltype(m.r), sink::store<view>>{flip(m.y), m.r, 1e-5, {flip(m.z)}};
  });
  with(bound_of<T>(1, steps_of_sum(5) + 4), [](auto& m) {
    using view = decltype(flip(m.y));
    return sink::norm_gradient<view, decltype(m.r), sink::store<view>>{flip(m.y), m.r, {flip(m.z)}};
  });
}

}  // namespace trm::cuda::testing
