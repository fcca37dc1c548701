// SPDX-License-Identifier: MIT
// One operation on a device and, in float64, by an oracle: everything that it may write is compared.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "support/cuda_cases/oracle.hpp"
#include "trm/backend/cuda/context.hpp"
#include "trm/core/activations.hpp"
#include "trm/core/buffer.hpp"
#include "trm/core/ignored_label.hpp"
#include "trm/core/parameters.hpp"
#include "trm/core/random.hpp"

namespace trm::cuda::testing {

/// The largest relative error of rounding to T.
template <class T>
inline constexpr double unit = std::is_same_v<T, bf16>    ? 0x1p-8
                               : std::is_same_v<T, float> ? 0x1p-24
                                                          : 0x1p-53;

/// The error of a result that is rounded to T `roundings` times and to float32 `steps` times on the way, relative to its largest element.
template <class T>
constexpr double bound_of(double roundings, double steps) {
  return roundings * unit<T> + steps * unit<accumulator<T>>;
}
/// Steps of a sum of n products: an error of n roundings of the sum of absolute values, which for terms of random sign is sqrt(n) times
/// their sum.
inline double steps_of_sum(int n) { return n * std::sqrt(static_cast<double>(n)); }

/// The extents of a case.
struct extents {
  int batch = 2, rows = 5;
  std::vector<int> lengths = {}, prefixes = {};  // [batch] or empty
};

/// What a case may read and write besides activations and parameters, in the memory of the backend.
struct side_data {
  int *tokens, *labels, *predictions;  // [batch, rows], below 7; labels: every fifth is ignored
  int* steps;                          // [batch], 1, 2, ...
  unsigned char* halted;               // [batch], every second
  token_result* tokens_result;         // [batch]
  halting_result* halting;             // [batch]
};

/// No parameters.
template <class E>
using no_params = empty;

namespace detail {

struct side_layout {
  std::size_t tokens, labels, predictions, steps, halted, token_results, halting, size;
  explicit side_layout(const extents& e) {
    std::size_t at = 0;
    const auto take = [&](std::size_t n) { return std::exchange(at, round_up(at + n, 256)); };
    const auto b = static_cast<std::size_t>(e.batch), n = b * static_cast<std::size_t>(e.rows) * sizeof(int);
    tokens = take(n), labels = take(n), predictions = take(n), steps = take(b * sizeof(int)), halted = take(b);
    token_results = take(b * sizeof(token_result)), halting = take(b * sizeof(halting_result)), size = at;
  }
  side_data at(std::byte* p) const {
    return {reinterpret_cast<int*>(p + tokens),
            reinterpret_cast<int*>(p + labels),
            reinterpret_cast<int*>(p + predictions),
            reinterpret_cast<int*>(p + steps),
            reinterpret_cast<unsigned char*>(p + halted),
            reinterpret_cast<token_result*>(p + token_results),
            reinterpret_cast<halting_result*>(p + halting)};
  }
};

inline buffer side_values(const extents& e, const side_layout& l) {
  buffer b(l.size);
  const side_data s = l.at(b.data());
  const draws from = philox{11}.at(purpose::user);
  for (int i = 0; i < e.batch * e.rows; ++i) {
    s.tokens[i] = static_cast<int>(from.below(7, static_cast<std::uint64_t>(2 * i)));
    s.labels[i] = i % 5 == 4 ? ignored_label : static_cast<int>(from.below(7, static_cast<std::uint64_t>(2 * i + 1)));
  }
  for (int i = 0; i < e.batch; ++i) s.steps[i] = i + 1, s.halted[i] = i % 2 == 0;
  return b;
}

/// Calls f(name, view) for every view of an aggregate.
template <class F>
struct view_walk {
  F f;
  template <class Member>
  void operator()(const char* name, Member& m) {
    if constexpr (is_view<Member>) {
      f(std::string(name), m);
    } else {
      m.fields(*this);
    }
  }
  template <class... Members>
  void overlay(Members&... m) {
    ((*this)("", m), ...);
  }
};
template <class F>
view_walk(F) -> view_walk<F>;

template <class T>
void check_close(const std::string& name, const std::vector<T>& got, const std::vector<double>& want, double bound) {
  double scale = 0, worst = 0;
  std::size_t where = 0;
  for (double w : want) scale = std::max(scale, std::abs(w));
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double e = std::abs(static_cast<double>(got[i]) - want[i]);
    if (!(e <= worst)) worst = e, where = i;
    if (std::isnan(e)) break;
  }
  INFO(name, " element ", where, ": ", static_cast<double>(got[where]), " instead of ", want[where], ", largest ",
       scale);
  CHECK(worst <= bound * scale);
}

}  // namespace detail

/// Runs `run(call, memory, parameters, gradients, side)` on the device in T and by the oracle in float64, from the same random values, and
/// compares every element of Memory<T>, the gradients of Params, and the integers and results on the side. `scale` multiplies random values.
template <class T, template <class> class Memory, template <class> class Params = no_params, class Device, class Run>
void compare(Device& device, const extents& e, double bound, Run run, double scale = 1) {
  using M = accumulator<T>;
  using host_context = oracle::context;
  const auto samples = static_cast<std::size_t>(e.batch);
  oracle known;
  host_context& host = known.backend;
  context<Device> on_device(device);

  // the same values in both memories, rounded to T
  buffer host_memory(samples * sample_bytes<Memory<double>>());
  buffer staged(samples * sample_bytes<Memory<T>>());
  auto want = bind_activations<Memory<double>>(host_memory.data(), samples);
  auto from = bind_activations<Memory<T>>(staged.data(), samples);
  std::vector<void*> places;
  std::uint64_t number = 0;
  const auto fill = [&](auto* p, std::size_t n, auto rounded) {
    const draws d = philox{5}.at(purpose::user, ++number);
    for (std::size_t i = 0; i < n; ++i)
      p[i] = static_cast<std::remove_reference_t<decltype(*p)>>(rounded(scale * d.normal(i)));
  };
  const auto elements = [&](auto& v) {
    using V = std::remove_reference_t<decltype(v)>;
    return samples * V::bytes / sizeof(typename V::value_type);
  };
  detail::view_walk{[&](const std::string&, auto& v) {
    fill(v.data, elements(v), [](double x) { return T(static_cast<float>(x)); });
  }}("", want);
  number = 0;
  detail::view_walk{[&](const std::string&, auto& v) {
    fill(v.data, elements(v), [](double x) { return T(static_cast<float>(x)); });
  }}("", from);
  device_memory<Device> memory(device, staged.size());
  device.copy_in(memory.data(), staged.data(), staged.size());
  auto got = bind_activations<Memory<T>>(memory.data(), samples);

  constexpr std::size_t extent = parameter_extent<Params<float>>() + 1;
  std::vector<M> master(extent), gradient(extent);
  fill(master.data(), extent, [](double x) { return static_cast<double>(T(static_cast<float>(x))); });
  fill(gradient.data(), extent, [](double x) { return static_cast<double>(static_cast<float>(x)); });
  std::vector<double> host_master(master.begin(), master.end()), host_gradient(gradient.begin(), gradient.end());
  using host_prepared = typename host_context::template prepared<double, Params>;
  using prepared = typename context<Device>::template prepared<T, Params>;
  buffer host_derived(host_prepared::bytes(mode::training) + 1);
  device_memory<Device> device_master(device, extent * sizeof(M)), device_gradient(device, extent * sizeof(M)),
      derived(device, prepared::bytes(mode::training) + 1);
  device.copy_in(device_master.data(), master.data(), extent * sizeof(M));
  device.copy_in(device_gradient.data(), gradient.data(), extent * sizeof(M));
  const auto host_bound = host_prepared::bind(host_master.data(), host_derived.data(), mode::training);
  const auto bound_params = prepared::bind(device_master.template as<M>(), derived.data(), mode::training);
  known.refresh<host_prepared>(host_bound);
  prepared::refresh(device, bound_params);

  const detail::side_layout layout(e);
  buffer host_side = detail::side_values(e, layout), side_out(layout.size);
  device_memory<Device> side(device, layout.size), lengths(device, samples * sizeof(int)),
      prefixes(device, samples * sizeof(int));
  device.copy_in(side.data(), host_side.data(), layout.size);
  if (!e.lengths.empty()) device.copy_in(lengths.data(), e.lengths.data(), samples * sizeof(int));
  if (!e.prefixes.empty()) device.copy_in(prefixes.data(), e.prefixes.data(), samples * sizeof(int));

  const call<host_context> hc{host, e.batch, e.rows, e.lengths.empty() ? nullptr : e.lengths.data(),
                              e.prefixes.empty() ? nullptr : e.prefixes.data()};
  const call<context<Device>> dc{on_device, e.batch, e.rows, e.lengths.empty() ? nullptr : lengths.template as<int>(),
                                 e.prefixes.empty() ? nullptr : prefixes.template as<int>()};
  run(hc, want, host_bound, bind_parameters<Params, double>(host_gradient.data()), layout.at(host_side.data()));
  run(dc, got, bound_params, bind_parameters<Params, M>(device_gradient.template as<M>()), layout.at(side.data()));

  device.copy_out(staged.data(), memory.data(), staged.size());
  device.copy_out(gradient.data(), device_gradient.data(), extent * sizeof(M));
  device.copy_out(side_out.data(), side.data(), layout.size);
  std::vector<std::vector<double>> wanted;
  detail::view_walk{[&](const std::string&, auto& v) { wanted.emplace_back(v.data, v.data + elements(v)); }}("", want);
  std::size_t i = 0;
  detail::view_walk{[&](const std::string& name, auto& v) {
    using E = typename std::remove_reference_t<decltype(v)>::value_type;
    detail::check_close(name, std::vector<E>(v.data, v.data + elements(v)), wanted[i++], bound);
  }}("", from);
  detail::check_close("gradients", gradient, host_gradient, bound);
  const side_data a = layout.at(host_side.data()), b = layout.at(side_out.data());
  for (int k = 0; k < e.batch * e.rows; ++k) CHECK(a.predictions[k] == b.predictions[k]);
  for (int k = 0; k < e.batch; ++k) {
    CHECK(a.halted[k] == b.halted[k]);
    CHECK(a.tokens_result[k].correct == b.tokens_result[k].correct);
    CHECK(a.tokens_result[k].supervised == b.tokens_result[k].supervised);
    CHECK(b.tokens_result[k].loss == doctest::Approx(a.tokens_result[k].loss).epsilon(1e-12));
    CHECK(b.halting[k].halt_loss == doctest::Approx(a.halting[k].halt_loss).epsilon(1e-12));
    CHECK(b.halting[k].continue_loss == doctest::Approx(a.halting[k].continue_loss).epsilon(1e-12));
  }
}

}  // namespace trm::cuda::testing
