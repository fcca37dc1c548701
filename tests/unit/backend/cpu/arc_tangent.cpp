// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/arc_tangent.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "trm/backend/cpu/isa.hpp"

using namespace trm::cpu;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity(),
                not_a_number = std::numeric_limits<float>::quiet_NaN();

struct points {
  std::vector<float> y, x;
  void add(float y_, float x_) { y.push_back(y_), x.push_back(x_); }
  void fill_up() {
    while (x.size() % 16 != 0) add(1, 1);
  }
  std::vector<float> angles() const {
    std::vector<float> r(x.size());
    for_isa(current_isa(), [&](auto level) TRM_INLINE {
      constexpr int n = level.lanes;
      for (std::size_t i = 0; i < x.size(); i += n)
        atan2(floats<n>::load(y.data() + i), floats<n>::load(x.data() + i)).store(r.data() + i);
    });
    return r;
  }
};

template <class F>
void on_every_isa(F f) {
  const isa best = current_isa();
  for (const isa level : all_isas) {
    if (level > best) continue;
    use_isa(level);
    CAPTURE(name(level));
    f();
  }
  use_isa(best);
}

}  // namespace

TEST_CASE("the angle is float64's, rounded once") {
  points p;
  std::uint64_t state = 1;
  const auto bits = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state >> 33);
  };
  for (int i = 0; i < 160000; ++i) {
    // any magnitudes, and magnitudes that are near each other
    const float any = __builtin_bit_cast(float, bits() % 0x7f000000u), near = static_cast<float>(bits()) * 0x1p-29f;
    p.add((i % 2 != 0 ? -1.0f : 1.0f) * (i % 3 != 0 ? static_cast<float>(bits()) * 0x1p-29f : any),
          i % 5 != 0 ? near : __builtin_bit_cast(float, bits() % 0x7f000000u));
  }
  p.fill_up();
  on_every_isa([&] {
    const std::vector<float> r = p.angles();
    double worst = 0;  // in units in the last place
    for (std::size_t i = 0; i < r.size(); ++i) {
      const double exact = std::atan2(static_cast<double>(p.y[i]), static_cast<double>(p.x[i]));
      const auto rounded = static_cast<float>(exact);
      const double unit = static_cast<double>(std::nextafter(std::abs(rounded), infinity)) - std::abs(rounded);
      worst = std::max(worst, std::abs(static_cast<double>(r[i]) - exact) / unit);
    }
    CHECK(worst <= 0.5001);
  });
}

TEST_CASE("zeros, infinities, the smallest numbers and not-a-number give what std::atan2 gives") {
  points p;
  for (float y : {0.0f, -0.0f, 1.0f, -1.0f, 1e-45f, -1e-45f, 3e38f, -3e38f, infinity, -infinity, not_a_number}) {
    for (float x : {0.0f, 1.0f, 1e-45f, 3e38f, infinity, not_a_number}) p.add(y, x);
  }
  p.fill_up();
  on_every_isa([&] {
    const std::vector<float> r = p.angles();
    for (std::size_t i = 0; i < r.size(); ++i) {
      CAPTURE(p.y[i]);
      CAPTURE(p.x[i]);
      const double exact = std::atan2(static_cast<double>(p.y[i]), static_cast<double>(p.x[i]));
      if (std::isnan(exact)) {
        CHECK(std::isnan(r[i]));
      } else {
        CHECK(r[i] == static_cast<float>(exact));
        CHECK(std::signbit(r[i]) == std::signbit(exact));
      }
    }
  });
}
