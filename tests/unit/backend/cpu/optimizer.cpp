// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/optimizer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

using namespace trm::cpu;

namespace {

constexpr std::size_t n = detail::flat_range + 53;  // two tasks, whole vectors and a rest
constexpr trm::adam_step step{0.01, 0.9, 0.95, 0.1, 1e-8, 3};

struct state {
  std::vector<float> p, m, v, g;
  state() : p(n), m(n), v(n), g(n) {
    for (std::size_t i = 0; i < n; ++i) {
      const auto x = static_cast<float>(i * 2654435761u % 1009);
      p[i] = x * 0.003f - 1.4f, m[i] = x * 0.001f - 0.7f, v[i] = x * x * 1e-6f, g[i] = 0.4f - x * 0.001f;
      if (i % 101 == 0) m[i] = v[i] = g[i] = 0;
    }
  }
};

template <class Direction, class F>
void check(Direction direction, F exact) {
  for (isa level : all_isas) {
    if (level > detect_isa()) continue;
    use_isa(level);
    state s;
    const state before;
    thread_pool one(1), three(3);
    detail::adam_like(one, s.p.data(), s.m.data(), s.v.data(), s.g.data(), n, step, 0.5, direction);
    double worst = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double g = 0.5 * static_cast<double>(before.g[i]), m = 0.9 * static_cast<double>(before.m[i]) + 0.1 * g,
                   v = 0.95 * static_cast<double>(before.v[i]) + 0.05 * g * g;
      const double d = exact(m, std::sqrt(v) / std::sqrt(1 - std::pow(0.95, 3)));
      const double p = static_cast<double>(before.p[i]) * (1 - 0.01 * 0.1) - 0.01 / (1 - std::pow(0.9, 3)) * d;
      worst = std::max({worst, std::abs(static_cast<double>(s.p[i]) - p), std::abs(static_cast<double>(s.m[i]) - m),
                        std::abs(static_cast<double>(s.v[i]) - v)});
    }
    CHECK(worst < 4e-7);
    state t;
    detail::adam_like(three, t.p.data(), t.m.data(), t.v.data(), t.g.data(), n, step, 0.5, direction);
    CHECK(std::memcmp(t.p.data(), s.p.data(), n * sizeof(float)) == 0);
  }
  use_isa(detect_isa());
}

}  // namespace

TEST_CASE("a step by the angle of the moments agrees with float64, also where both are zero") {
  check(detail::angle_of_moments{}, [](double m, double r) { return std::atan2(m, r); });
}

TEST_CASE("a step by the ratio of the moments agrees with float64, also where both are zero") {
  check(detail::ratio_of_moments{1e-8}, [](double m, double r) { return m / (r + 1e-8); });
}
