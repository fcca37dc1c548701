// SPDX-License-Identifier: MIT
// Passes over flat buffers on a device, and what a captured step reads from a step_state.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "support/cuda_cases/oracle.hpp"
#include "trm/backend/cuda/context.hpp"
#include "trm/core/random.hpp"
#include "trm/ops/optimizer.hpp"
#include "trm/optim/puzzle_table.hpp"

namespace trm::cuda::testing {

/// Host values and their copy on the device.
template <class Device, class T>
struct mirrored {
  Device& device;
  std::vector<T> host;
  device_memory<Device> memory;

  mirrored(Device& d, std::size_t n, std::uint64_t seed, bool positive = false)
      : device(d), host(n), memory(d, n * sizeof(T)) {
    const draws from = philox{seed}.at(purpose::user);
    for (std::size_t i = 0; i < n; ++i) {
      host[i] = static_cast<T>(positive ? std::abs(from.normal(i)) : from.normal(i));
    }
    device.copy_in(memory.data(), host.data(), n * sizeof(T));
  }
  T* data() const { return memory.template as<T>(); }
  std::vector<T> now() const {
    std::vector<T> v(host.size());
    device.copy_out(v.data(), memory.data(), v.size() * sizeof(T));
    return v;
  }
  /// Largest difference from the host's values.
  double distance() const {
    double worst = 0;
    const auto v = now();
    for (std::size_t i = 0; i < v.size(); ++i) {
      const double e = std::abs(static_cast<double>(v[i]) - static_cast<double>(host[i]));
      worst = e <= worst ? worst : e;
    }
    return worst;
  }
};

/// Steps, averages and norms against the CPU's, in float32. Values are of order one, steps of order `rate`.
template <class Device>
void check_optimizer(Device& d) {
  constexpr std::size_t n = 5000;
  context<Device> on_device(d);
  oracle known;
  auto& host = known.backend;
  mirrored<Device, float> p(d, n, 1), m(d, n, 2), v(d, n, 3, true), g(d, n, 4), average(d, n, 5);
  const adam_step s{0.01, 0.9, 0.95, 0.1, 1e-8, 3};
  ops::adam_atan2(host, p.host.data(), m.host.data(), v.host.data(), g.host.data(), n, s, 0.5);
  ops::adam_atan2(on_device, p.data(), m.data(), v.data(), g.data(), n, s, 0.5);
  CHECK(p.distance() < 8 * 0x1p-24 * 4);
  ops::adamw(host, p.host.data(), m.host.data(), v.host.data(), g.host.data(), n, s, 0.5);
  ops::adamw(on_device, p.data(), m.data(), v.data(), g.data(), n, s, 0.5);
  CHECK(p.distance() < 16 * 0x1p-24 * 4);
  CHECK(m.distance() < 8 * 0x1p-24 * 4);
  CHECK(v.distance() < 8 * 0x1p-24 * 16);
  ops::ema(host, average.host.data(), p.host.data(), n, 0.9);
  ops::ema(on_device, average.data(), p.data(), n, 0.9);
  CHECK(average.distance() < 16 * 0x1p-24 * 4);
  CHECK(ops::squared_norm(on_device, g.data(), n) ==
        doctest::Approx(ops::squared_norm(host, g.host.data(), n)).epsilon(1e-12));
  ops::add(host, g.host.data(), average.host.data(), n);
  ops::add(on_device, g.data(), average.data(), n);
  CHECK(g.distance() < 17 * 0x1p-24 * 8);
  ops::clear(on_device, g.data(), n);
  CHECK(g.now() == std::vector<float>(n));
}

/// One captured graph serves steps with other numbers; a gradient that is not finite leaves everything as it is.
template <class Device>
void check_captured_step(Device& d) {
  constexpr std::size_t n = 300;
  context<Device> backend(d);
  oracle known;
  auto& host = known.backend;
  mirrored<Device, float> p(d, n, 1), m(d, n, 2), v(d, n, 3, true), g(d, n, 4);
  device_memory<Device> state(d, sizeof(step_state));
  const auto step = [&] {
    backend.gradient_norm(g.data(), n, state.template as<step_state>());
    backend.adam_atan2(p.data(), m.data(), v.data(), g.data(), n, state.template as<step_state>());
  };
  step_state numbers;
  numbers.finite = 0;
  d.copy_in(state.data(), &numbers, sizeof numbers);
  backend.adam_atan2(p.data(), m.data(), v.data(), g.data(), n,
                     state.template as<step_state>());  // takes what it needs
  CHECK(p.distance() == 0);
  backend.gradient_norm(g.data(), n, state.template as<step_state>());
  auto graph = d.capture(step);
  CHECK(p.distance() == 0);  // recorded, not done
  for (long long t = 1; t <= 2; ++t) {
    const adam_step s{0.01 * static_cast<double>(t), 0.9, 0.95, 0.1, 1e-8, t};
    numbers = {};
    numbers.adam = factors_of(s), numbers.clip_norm = 1;
    d.copy_in(state.data(), &numbers, sizeof numbers);
    graph.launch();
    const double norm = std::sqrt(ops::squared_norm(host, g.host.data(), n));
    ops::adam_atan2(host, p.host.data(), m.host.data(), v.host.data(), g.host.data(), n, s, 1 / norm);
    CHECK(p.distance() < 16 * 0x1p-24 * 4);
    d.copy_out(&numbers, state.data(), sizeof numbers);
    CHECK(numbers.gradient_norm == doctest::Approx(norm).epsilon(1e-12));
    CHECK(numbers.finite == 1);
  }
  g.host[17] = NAN;
  d.copy_in(g.data(), g.host.data(), n * sizeof(float));
  const auto before = p.now();
  graph.launch();
  CHECK(p.now() == before);
  d.copy_out(&numbers, state.data(), sizeof numbers);
  CHECK(numbers.finite == 0);
}

/// Sparse SignSGD: sums of gradients have the CPU's order, so the rows agree but for a contraction of the update.
template <class Device>
void check_puzzle_rows(Device& d) {
  constexpr int rows = 6, width = 70, n = 9;
  context<Device> backend(d);
  puzzle_table<float> table(rows, width, n);
  mirrored<Device, float> values(d, rows * width, 1), gradients(d, n * width, 2), gathered(d, n * width, 3);
  std::copy(values.host.begin(), values.host.end(), table.data());
  const std::vector<int> ids{4, 0, 4, 4, 5, 0, 2, 5, 4};
  device_memory<Device> on_device(d, n * sizeof(int)), state(d, sizeof(step_state));
  d.copy_in(on_device.data(), ids.data(), n * sizeof(int));
  step_state numbers;
  numbers.puzzle = {0.01, 0.1};
  d.copy_in(state.data(), &numbers, sizeof numbers);

  table.gather(ids.data(), n, gathered.host.data());
  backend.gather(values.data(), width, on_device.template as<int>(), n, gathered.data());
  CHECK(gathered.distance() == 0);
  table.sign_sgd(ids.data(), gradients.host.data(), n, numbers.puzzle);
  backend.sign_sgd(values.data(), width, on_device.template as<int>(), gradients.data(), n,
                   state.template as<step_state>());
  std::copy(table.data(), table.data() + rows * width, values.host.begin());
  CHECK(values.distance() <= 2 * 0x1p-24 * 4);
}

}  // namespace trm::cuda::testing
