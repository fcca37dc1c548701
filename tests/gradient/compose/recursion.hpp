// SPDX-License-Identifier: MIT
// The gradient of a recursion against central differences, the states that its gradient part begins with held fixed.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "trm/compose/recursion.hpp"
#include "trm/testing/gradient_check.hpp"

namespace trm_test {

/// Compares d sum(z_out * w) of every parameter and of x. Memory that is not to be read is NaN: what was saved before
/// the forward pass, the scratch between forward and backward, and the gradient of x before it is written.
template <class Schedule, trm::shape In, class... Nets>
trm::testing::gradient_report check_recursion(trm::testing::gradient_check_options o = {}) {
  using num = trm::numerics<double>;
  using core = trm::bound<trm::recursion<Schedule, Nets...>, In, num>;
  using state = typename core::state;
  using backend = trm::cpu::context<>;
  using weight = backend::weight<double>;
  using prepared = backend::prepared<double, core::template params>;
  namespace detail = trm::testing::detail;

  const auto samples = static_cast<std::size_t>(o.batch);
  const int rows = o.rows == 0 ? In.length : o.rows;
  const std::size_t values = samples * static_cast<std::size_t>(rows) * In.width;
  constexpr std::size_t n = trm::parameter_extent<typename core::template params<double>>();
  backend device(1);
  const trm::call<backend> c{device, o.batch, rows, o.lengths.empty() ? nullptr : o.lengths.data()};

  auto weights = detail::random_values(n, o.weight_scale, o.seed, 1);
  const auto gradient_before = detail::random_values(n, 1, o.seed, 2);
  auto gradient = gradient_before;
  trm::buffer derived(prepared::bytes(trm::mode::training));
  const typename core::template params<weight> p = prepared::bind(weights.data(), derived.data(), trm::mode::training);
  const auto g = trm::bind_parameters<core::template params, double>(gradient.data());
  const auto refresh = [&] { prepared::refresh(device.pool(), p); };
  refresh();

  trm::buffer carry_memory = detail::poisoned(samples * trm::sample_bytes<typename core::carry>());
  trm::buffer saved_memory = detail::poisoned(samples * trm::sample_bytes<typename core::saved>());
  trm::buffer scratch_memory = detail::poisoned(samples * trm::sample_bytes<typename core::scratch>());
  const auto z = trm::bind_activations<typename core::carry>(carry_memory.data(), samples);
  auto s = trm::bind_activations<typename core::saved>(saved_memory.data(), samples);
  auto k = trm::bind_activations<typename core::scratch>(scratch_memory.data(), samples);
  auto x = detail::random_values(values, 1, o.seed, 3);
  const auto w = detail::random_values(values, 1, o.seed, 4);
  auto dz = w;
  std::vector<double> dx(values, std::numeric_limits<double>::quiet_NaN());
  const double* z_out = z.z[Schedule::output].data;

  const auto begin = [&] {
    for (std::size_t i = 0; i < core::state_count; ++i) {
      const auto start = detail::random_values(values, 1, o.seed, 10 + i);
      std::copy(start.begin(), start.end(), z.z[i].data);
    }
    std::memset(scratch_memory.data(), 0xff, scratch_memory.size());
  };
  const auto loss = [&] {
    begin();
    core::with_gradient(c, p, state{x.data()}, z, s, k);
    double sum = 0;
    for (std::size_t i = 0; i < values; ++i) sum += z_out[i] * w[i];
    return sum;
  };
  loss();
  std::vector<double> states;
  for (const auto& v : z.z) states.insert(states.end(), v.data, v.data + values);
  std::memset(scratch_memory.data(), 0xff, scratch_memory.size());
  core::backward(c, p, g, z, state{dz.data()}, s, k, state{dx.data()});

  trm::testing::gradient_report report;
  const std::vector<double> zeros(values);
  detail::compare(report, "x", x.data(), dx.data(), zeros.data(), values, o, loss, [] {});
  for (const auto& e : trm::parameter_table<typename core::template params<double>>()) {
    detail::compare(report, e.name(), weights.data() + e.offset, gradient.data() + e.offset,
                    gradient_before.data() + e.offset, e.count, o, loss, refresh);
  }
  // the same applications without a gradient give the same states
  begin();
  core::advance(c, p, state{x.data()}, z, k.inference, core::flow::first);
  std::vector<double> again;
  for (const auto& v : z.z) again.insert(again.end(), v.data, v.data + values);
  if (again != states) report.problem = "advance does not give what with_gradient gives";
  return report;
}

}  // namespace trm_test
