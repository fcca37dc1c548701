// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/vector_math.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace trm::cpu;
using trm::bf16;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

template <class F>
void on_every_isa(F f) {
  for (isa level : all_isas) {
    if (level > detect_isa()) continue;
    const std::string level_name = name(level);
    CAPTURE(level_name);
    use_isa(level);
    f();
  }
  use_isa(detect_isa());
}

enum class function { exp2, log2, sigmoid, sqrt };

/// A function of every element, `size` a multiple of 16.
std::vector<float> applied(function which, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  for_isa(current_isa(), [&](auto level) TRM_INLINE {
    constexpr int n = level.lanes;
    for (std::size_t i = 0; i < x.size(); i += n) {
      const auto v = floats<n>::load(x.data() + i);
      (which == function::exp2   ? exp2(v)
       : which == function::log2 ? log2(v)
       : which == function::sqrt ? sqrt(v)
                                 : sigmoid(v))
          .store(y.data() + i);
    }
  });
  return y;
}
/// Finite floats of both signs over the whole range, every `step`-th bit pattern.
std::vector<float> finite_floats(std::uint32_t step) {
  std::vector<float> x;
  for (std::uint64_t u = 0; u < 0x7f800000u; u += step) {
    const float f = __builtin_bit_cast(float, static_cast<std::uint32_t>(u));
    x.push_back(f);
    x.push_back(-f);
  }
  for (float f = -105.0f; f < 90.0f; f += 0.0013f) x.push_back(f);  // where the result is neither 0 nor infinite
  x.resize(x.size() / 16 * 16);
  return x;
}

}  // namespace

TEST_CASE("exp2 is within 2e-7 of float64, and zero where the result is smaller than a normal number") {
  std::vector<float> x = finite_floats(10007);
  for (float f = -127.5f; f < 127.0f; f += 0.0007f) x.push_back(f);
  x.resize(x.size() / 16 * 16);
  on_every_isa([&] {
    const std::vector<float> y = applied(function::exp2, x);
    double worst = 0;
    bool ends = true;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = std::exp2(static_cast<double>(x[i]));
      if (x[i] >= -126.0f && x[i] <= 127.0f) worst = std::max(worst, std::abs(static_cast<double>(y[i]) / exact - 1));
      ends = ends && (x[i] > -126.5f || y[i] == 0.0f);
      if (x[i] < -126.0f) ends = ends && y[i] >= 0.0f && y[i] < 1.18e-38f;
    }
    CHECK(ends);
    CHECK(worst < 2e-7);
  });
}

TEST_CASE("log2 is within 2e-7 of float64, or of that part of it, and -infinity at zero") {
  std::vector<float> x;
  for (std::uint32_t u = 0x00800000u; u < 0x7f800000u; u += 9001) x.push_back(__builtin_bit_cast(float, u));
  for (float f = 0.5f; f < 3.0f; f += 0.00003f) x.push_back(f);
  x.resize(x.size() / 16 * 16);
  on_every_isa([&] {
    const std::vector<float> y = applied(function::log2, x);
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = std::log2(static_cast<double>(x[i]));
      worst = std::max(worst, std::abs(static_cast<double>(y[i]) - exact) / std::max(1.0, std::abs(exact)));
    }
    CHECK(worst < 2e-7);
    for (float v : applied(function::log2, std::vector<float>(16, 0.0f))) CHECK(v == -infinity);
    for (float v : applied(function::log2, std::vector<float>(16, 1.0f))) CHECK(v == 0.0f);
  });
}

TEST_CASE("the square root is correctly rounded") {
  std::vector<float> x;
  for (std::uint32_t u = 0; u < 0x7f800000u; u += 90001) x.push_back(__builtin_bit_cast(float, u));
  x.resize(x.size() / 16 * 16);
  on_every_isa([&] {
    const std::vector<float> y = applied(function::sqrt, x);
    bool same = true;
    for (std::size_t i = 0; i < x.size(); ++i) same = same && y[i] == std::sqrt(x[i]);
    CHECK(same);
  });
}

TEST_CASE("sigmoid is within 4e-7 of float64") {
  const std::vector<float> x = finite_floats(10007);
  on_every_isa([&] {
    const std::vector<float> y = applied(function::sigmoid, x);
    double worst = 0;
    bool ends = true;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = 1 / (1 + std::exp(-static_cast<double>(x[i])));
      if (x[i] > -87.0f) worst = std::max(worst, std::abs(static_cast<double>(y[i]) / exact - 1));
      ends = ends && (x[i] > -89.0f || y[i] == 0.0f) && (x[i] < 20.0f || y[i] == 1.0f);
    }
    CHECK(worst < 4e-7);
    CHECK(ends);
  });
}

TEST_CASE("not-a-number stays so, infinities give the limits") {
  std::vector<float> x(16, std::numeric_limits<float>::quiet_NaN());
  x[1] = infinity;
  x[2] = -infinity;
  on_every_isa([&] {
    const std::vector<float> e = applied(function::exp2, x), s = applied(function::sigmoid, x);
    CHECK(std::isnan(e[0]));
    CHECK(std::isnan(e[15]));
    CHECK(std::isnan(s[0]));
    CHECK(e[2] == 0.0f);
    for (function f : {function::log2, function::sqrt}) CHECK(std::isnan(applied(f, x)[0]));
    CHECK(s[1] == 1.0f);
    CHECK(s[2] == 0.0f);
  });
}

TEST_CASE("bf16 is rounded and widened exactly as one number is, at any length") {
  std::vector<float> from;
  for (std::uint64_t u = 0; u <= 0xffffffffu; u += 65521 / 7)
    from.push_back(__builtin_bit_cast(float, static_cast<std::uint32_t>(u)));
  for (std::uint32_t u :
       {0x7f7fffffu, 0x7f800000u, 0x7f800001u, 0x7fffffffu, 0xff800001u, 0x3f808000u, 0x3f818000u, 0x80000000u, 1u}) {
    from.push_back(__builtin_bit_cast(float, u));
  }
  on_every_isa([&] {
    std::vector<bf16> to(from.size());
    convert(from.data(), to.data(), from.size());
    bool same = true;
    for (std::size_t i = 0; i < from.size(); ++i) same = same && to[i].bits == bf16(from[i]).bits;
    CHECK(same);
    std::vector<bf16> all(65536);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = bf16::from_bits(static_cast<std::uint16_t>(i));
    std::vector<float> wide(all.size());
    convert(all.data(), wide.data(), all.size());
    same = true;
    for (std::size_t i = 0; i < all.size(); ++i) {
      same = same && __builtin_bit_cast(std::uint32_t, wide[i]) == static_cast<std::uint32_t>(i) << 16;
    }
    CHECK(same);
    for (std::size_t n = 0; n < 40; ++n) {  // nothing beyond the end is read or written
      const std::vector<float> some(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(n));
      std::vector<bf16> rounded(n + 1, bf16(7.0f));
      convert(some.data(), rounded.data(), n);
      CHECK(static_cast<float>(rounded[n]) == 7.0f);
      for (std::size_t i = 0; i < n; ++i) CHECK(rounded[i].bits == bf16(some[i]).bits);
    }
  });
}

TEST_CASE("part of a vector is read and written element by element") {
  on_every_isa([] {
    for_isa(current_isa(), [](auto level) TRM_INLINE {
      constexpr int n = level.lanes;
      for (int count = 0; count <= n; ++count) {
        const std::vector<float> from(static_cast<std::size_t>(count), 3.0f);
        std::vector<float> to(static_cast<std::size_t>(n + 1), 9.0f);
        floats<n>::load(from.data(), count).store(to.data());
        for (int i = 0; i < n; ++i) CHECK(to[static_cast<std::size_t>(i)] == (i < count ? 3.0f : 0.0f));
        CHECK(to[static_cast<std::size_t>(n)] == 9.0f);
        std::vector<float> part(static_cast<std::size_t>(count));
        floats<n>::broadcast(4.0f).store(part.data(), count);
        for (float v : part) CHECK(v == 4.0f);
        std::vector<bf16> halves(static_cast<std::size_t>(count));
        store_floats<n>(floats<n>::broadcast(1.5f), halves.data(), count);
        for (bf16 v : halves) CHECK(static_cast<float>(v) == 1.5f);
        load_floats<n>(halves.data(), count).store(to.data());
        for (int i = 0; i < count; ++i) CHECK(to[static_cast<std::size_t>(i)] == 1.5f);
      }
    });
  });
}
