// SPDX-License-Identifier: MIT
#include "trm/optim/optimizers.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "trm/backend/cpu/context.hpp"
#include "trm/core/random.hpp"

namespace {

constexpr std::size_t n = 40000;  // more than one chunk of the backend

template <class T>
std::vector<T> normals(std::uint64_t what, double scale) {
  std::vector<T> v(n);
  const trm::draws from = trm::philox{3}.at(trm::purpose::user, what);
  for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<T>(scale * from.normal(i));
  return v;
}

/// The largest difference from the plain formula, of parameters relative to one update.
template <class Optimizer, class T, class Formula>
double difference(trm::optimizer_options o, double scale, int threads, Formula formula) {
  trm::cpu::context<> device(threads);
  auto p = normals<T>(1, 0.5);
  std::vector<T> m(n), v(n);
  std::vector<double> p2(p.begin(), p.end()), m2(n), v2(n);
  double worst = 0;
  for (int t = 1; t <= 5; ++t) {
    auto g = normals<T>(10 + static_cast<std::uint64_t>(t), t == 3 ? 1e-6 : 0.1);
    g[0] = 0;
    const double rate = o.learning_rate / t;
    Optimizer::step(device, p.data(), m.data(), v.data(), g.data(), n,
                    {rate, o.beta1, o.beta2, o.weight_decay, o.epsilon, t}, scale);
    for (std::size_t i = 0; i < n; ++i) {
      const double gi = scale * static_cast<double>(g[i]);
      m2[i] = o.beta1 * m2[i] + (1 - o.beta1) * gi;
      v2[i] = o.beta2 * v2[i] + (1 - o.beta2) * gi * gi;
      p2[i] *= 1 - rate * o.weight_decay;
      p2[i] -= rate * formula(m2[i] / (1 - std::pow(o.beta1, t)), v2[i] / (1 - std::pow(o.beta2, t)), m2[i], t);
      worst = std::max(worst, std::abs(static_cast<double>(p[i]) - p2[i]) / rate);
    }
  }
  return worst;
}

/// Parameters below 4, rounded twice in each of 5 steps by at most 2^-23, over the smallest rate.
constexpr double float_rounding = 10 * 0x1p-23 / (1e-2 / 5);

}  // namespace

TEST_CASE("AdamATan2 against its formula") {
  const trm::optimizer_options o{.learning_rate = 1e-2, .beta1 = 0.9, .beta2 = 0.95, .weight_decay = 0.1};
  const auto formula = [&](double, double v_hat, double m, int t) {
    return std::atan2(m, std::sqrt(v_hat)) / (1 - std::pow(o.beta1, t));
  };
  CHECK(difference<trm::adam_atan2, double>(o, 1, 1, formula) < 1e-12);
  CHECK(difference<trm::adam_atan2, double>(o, 0.3, 2, formula) < 1e-12);
  CHECK(difference<trm::adam_atan2, float>(o, 1, 2, formula) < float_rounding);
}

TEST_CASE("AdamW against its formula") {
  const trm::optimizer_options o{
      .learning_rate = 1e-2, .beta1 = 0.8, .beta2 = 0.99, .weight_decay = 0.3, .epsilon = 1e-3};
  const auto formula = [&](double m_hat, double v_hat, double, int) { return m_hat / (std::sqrt(v_hat) + o.epsilon); };
  CHECK(difference<trm::adamw, double>(o, 1, 1, formula) < 1e-12);
  CHECK(difference<trm::adamw, double>(o, 0.3, 2, formula) < 1e-12);
  CHECK(difference<trm::adamw, float>(o, 1, 2, formula) < float_rounding);
}

TEST_CASE("AdamATan2: a gradient of zero moves nothing, of any size moves at most pi / 2 of the rate") {
  trm::cpu::context<> device(1);
  std::vector<double> p{1, 1, 1, 1}, m(4), v(4);
  const std::vector<double> g{0, 1e-30, -1e30, 1};
  trm::adam_atan2::step(device, p.data(), m.data(), v.data(), g.data(), 4, {0.1, 0.9, 0.95, 0, 1e-8, 1}, 1);
  CHECK(p[0] == 1);
  // at the first step m = 0.1 g, sqrt(v^) = |g|: atan2(0.1, 1) / 0.1 whatever g is
  for (std::size_t i : {1u, 3u}) CHECK(p[i] == doctest::Approx(1 - 0.1 * std::atan2(0.1, 1.0) / 0.1).epsilon(1e-12));
  CHECK(p[2] == doctest::Approx(1 + 0.1 * std::atan2(0.1, 1.0) / 0.1).epsilon(1e-12));
}

TEST_CASE("weight decay alone") {
  trm::cpu::context<> device(1);
  std::vector<double> p{2, -3}, m(2), v(2);
  const std::vector<double> g(2);
  trm::adam_atan2::step(device, p.data(), m.data(), v.data(), g.data(), 2, {0.5, 0.9, 0.95, 0.25, 1e-8, 1}, 1);
  CHECK(p == std::vector<double>{2 * 0.875, -3 * 0.875});
}

TEST_CASE("EMA") {
  trm::cpu::context<> device(2);
  auto average = normals<double>(1, 1);
  const auto p = normals<double>(2, 1), before = average;
  trm::ops::ema(device, average.data(), p.data(), n, 0.75);
  double worst = 0;
  for (std::size_t i = 0; i < n; ++i) worst = std::max(worst, std::abs(average[i] - (0.75 * before[i] + 0.25 * p[i])));
  CHECK(worst < 1e-15);
}

TEST_CASE("the squared norm does not depend on the number of threads") {
  const auto g = normals<float>(5, 1);
  double wanted = 0;
  for (float x : g) wanted += static_cast<double>(x) * static_cast<double>(x);
  trm::cpu::context<> one(1), three(3);
  const double a = trm::ops::squared_norm(one, g.data(), n);
  CHECK(a == doctest::Approx(wanted).epsilon(1e-13));
  CHECK(a == trm::ops::squared_norm(three, g.data(), n));
}
