// SPDX-License-Identifier: MIT
// Gradient check for any layer, in float64: central differences, poisoned outputs, accumulation. Ships for users' own layers.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "trm/backend/cpu/context.hpp"
#include "trm/core/activations.hpp"
#include "trm/core/buffer.hpp"
#include "trm/core/error.hpp"
#include "trm/core/parameters.hpp"
#include "trm/core/random.hpp"
#include "trm/layers/contract.hpp"
#include "trm/ops/rows.hpp"

namespace trm::testing {

/// The extents and the amount of work of a check.
struct gradient_check_options {
  int batch = 2;                                 // samples
  int rows = 0;                                  // 0: the layer's full length
  std::vector<int> lengths = {}, prefixes = {};  // [batch] or empty
  int samples_per_tensor = 40;                   // elements of each parameter, and of the input, that are compared
  double weight_scale = 0.2;                     // standard deviation of the drawn weights
  double difference = 1e-5;                      // h of (f(x + h) - f(x - h)) / 2h
  std::uint64_t seed = 7;                        // of weights, input, and what is compared
};

/// What a check found. Relative error = |analytic - numeric| / max(|analytic|, |numeric|, 1% of the tensor's largest gradient).
struct gradient_report {
  double worst = 0;     // relative error
  std::string where;    // of the worst
  int compared = 0;     // elements
  std::string problem;  // a broken promise other than a wrong number; empty: none

  /// nothing broken, something compared, no error above
  bool passed(double tolerance = 1e-6) const { return problem.empty() && compared > 0 && worst < tolerance; }
  /// One line, for the test's message.
  std::string text() const {
    if (!problem.empty()) return problem;
    char number[32];
    std::snprintf(number, sizeof number, "%.2e", worst);
    return std::string("worst relative error ") + number + " at " + where + ", " + std::to_string(compared) +
           " compared";
  }
  /// Compares one element: |analytic - numeric| relative to the largest of both and `size`, the scale of its tensor's
  /// gradient.
  void add(double analytic, double numeric, double size, std::string_view name) {
    const double error = std::abs(analytic - numeric) / std::max({std::abs(analytic), std::abs(numeric), size, 1e-300});
    ++compared;
    if (!(error <= worst)) {
      worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
      where = name;
    }
  }
};

namespace detail {

inline std::vector<double> random_values(std::size_t n, double scale, std::uint64_t seed, std::uint64_t what) {
  std::vector<double> v(n);
  const draws from = philox{seed}.at(purpose::user, what);
  for (std::size_t i = 0; i < n; ++i) v[i] = scale * from.normal(i);
  return v;
}

/// Memory whose every double is NaN.
inline buffer poisoned(std::size_t bytes) {
  buffer b(bytes);
  std::fill_n(b.data(), bytes, std::byte{0xff});
  return b;
}

/// The largest |gradient| of a range.
inline double largest(const double* g, const double* before, std::size_t n) {
  double m = 0;
  for (std::size_t i = 0; i < n; ++i) m = std::max(m, std::abs(g[i] - before[i]));
  return m;
}

/// Compares `samples` elements of values[0, n): analytic gradient gradient[i] - before[i] against central differences of `loss`.
template <class Loss, class Refresh>
void compare(gradient_report& report, std::string_view name, double* values, const double* gradient,
             const double* before, std::size_t n, const gradient_check_options& o, Loss loss, Refresh refresh) {
  const double size = 0.01 * largest(gradient, before, n);
  const draws pick = philox{o.seed}.at(purpose::user, 99);
  const std::size_t count = std::min<std::size_t>(n, static_cast<std::size_t>(o.samples_per_tensor));
  for (std::size_t s = 0; s < count; ++s) {
    const std::size_t i = count == n ? s : pick.below(n, s);
    const double kept = values[i];
    const auto at = [&](double v) {
      values[i] = v;
      refresh();
      return loss();
    };
    const double numeric = (at(kept + o.difference) - at(kept - o.difference)) / (2 * o.difference);
    at(kept);
    report.add(gradient[i] - before[i], numeric, size, name);
  }
}

template <class Layer, shape In>
gradient_report check_layer(const gradient_check_options& o) {
  using num = numerics<double>;
  using at = bound<Layer, In, num>;
  using x_view = activation_of<In, num>;
  using y_view = activation_of<at::out, num>;
  using backend = cpu::context<>;
  using weight = backend::weight<double>;
  using prepared = backend::prepared<double, at::template params>;

  const int rows = o.rows == 0 ? In.length : o.rows, out_rows = at::out.length == In.length ? rows : at::out.length;
  const auto samples = static_cast<std::size_t>(o.batch);
  const std::size_t x_count = samples * static_cast<std::size_t>(rows) * In.width;
  const std::size_t y_count = samples * static_cast<std::size_t>(out_rows) * at::out.width;
  constexpr std::size_t n = parameter_extent<typename at::template params<double>>();
  const double nan = std::numeric_limits<double>::quiet_NaN();

  backend device(1);
  const call<backend> c{device, o.batch, rows, o.lengths.empty() ? nullptr : o.lengths.data(),
                        o.prefixes.empty() ? nullptr : o.prefixes.data()};
  auto weights = random_values(n, o.weight_scale, o.seed, 1);
  const auto gradient_before = random_values(n, 1, o.seed, 2);
  auto gradient = gradient_before;
  buffer derived(prepared::bytes(mode::training));
  const typename at::template params<weight> p = prepared::bind(weights.data(), derived.data(), mode::training);
  const auto g = bind_parameters<at::template params, double>(gradient.data());
  const auto refresh = [&] { prepared::refresh(device.pool(), p); };
  refresh();

  using saved = typename at::template saved<mode::training>;
  using scratch = typename at::template scratch<mode::training>;
  buffer saved_memory = poisoned(samples * sample_bytes<saved>());
  buffer scratch_memory = poisoned(samples * sample_bytes<scratch>());
  auto s = bind_activations<saved>(saved_memory.data(), samples);
  auto k = bind_activations<scratch>(scratch_memory.data(), samples);
  auto x = random_values(x_count, 1, o.seed, 3);
  const auto dy = random_values(y_count, 1, o.seed, 4);
  std::vector<double> y(y_count, nan), d(y_count, nan), dy_copy = dy;
  const auto dx_before = random_values(x_count, 1, o.seed, 5);
  auto dx = dx_before;

  const auto loss = [&] {
    at::template forward<mode::training>(c, p, x_view{x.data()}, s, k, sink::store<y_view>{y_view{y.data()}});
    double sum = 0;
    for (std::size_t i = 0; i < y_count; ++i) sum += y[i] * dy[i];
    return sum;
  };
  gradient_report report;
  if (std::isnan(loss())) {
    report.problem = "forward: a result is NaN: something is read before it is written, or left unwritten";
    return report;
  }
  {
    using inference_saved = typename at::template saved<mode::inference>;
    using inference_scratch = typename at::template scratch<mode::inference>;
    buffer a = poisoned(samples * sample_bytes<inference_saved>()),
           b = poisoned(samples * sample_bytes<inference_scratch>());
    auto si = bind_activations<inference_saved>(a.data(), samples);
    auto ki = bind_activations<inference_scratch>(b.data(), samples);
    std::vector<double> again(y_count, nan);
    at::template forward<mode::inference>(c, p, x_view{x.data()}, si, ki, sink::store<y_view>{y_view{again.data()}});
    if (again != y) {
      report.problem = "forward: inference does not give what training gives";
      return report;
    }
  }
  std::fill_n(scratch_memory.data(), scratch_memory.size(), std::byte{0xff});  // scratch does not outlive the call
  const call<backend> c_out = c.with_rows(out_rows);
  ops::emit(c_out, y_view{dy_copy.data()}, at::entry(s, y_view{y.data()}, y_view{d.data()}));
  at::backward(c, p, g, x_view{x.data()}, y_view{y.data()}, y_view{d.data()}, s, k,
               sink::add<x_view>{x_view{dx.data()}});

  compare(report, "input", x.data(), dx.data(), dx_before.data(), x_count, o, loss, [] {});
  for (const parameter_entry& e : parameter_table<typename at::template params<double>>()) {
    compare(report, e.name(), weights.data() + e.offset, gradient.data() + e.offset, gradient_before.data() + e.offset,
            e.count, o, loss, refresh);
  }
  return report;
}

}  // namespace detail

/// Checks a layer's description against central differences of sum(y * w) with random w:
/// all parameters, the input, that gradients are added to what is there, that nothing is read before it is written, and that
/// inference gives what training gives, bit for bit. Throws where the options do not fit one another.
template <class Layer, shape In>
gradient_report check_gradient(const gradient_check_options& o = {}) {
  static_assert(layer<Layer, In, numerics<double>>, "check_gradient: this is not a layer (see layers/contract.hpp)");
  const auto samples = static_cast<std::size_t>(o.batch);
  if (o.batch < 1 || o.rows < 0 || o.rows > In.length || o.samples_per_tensor < 1) {
    throw error("gradient check",
                "batch, rows and samples_per_tensor must be positive, and rows at most the layer's length");
  }
  if ((!o.lengths.empty() && o.lengths.size() != samples) || (!o.prefixes.empty() && o.prefixes.size() != samples)) {
    throw error("gradient check",
                "lengths and prefixes need a number for each of " + std::to_string(o.batch) + " samples");
  }
  if constexpr (layer<Layer, In, numerics<double>>) {
    return detail::check_layer<Layer, In>(o);
  } else {
    return {};
  }
}

}  // namespace trm::testing
