// SPDX-License-Identifier: MIT
// The axis of a chart: limits, ticks at round values and their labels.
#pragma once
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/core.h>

namespace program::report {

enum class axis_scale { linear, logarithmic };
/// How numbers on an axis are written: as they are, or fractions as percent.
enum class axis_unit { number, percent };

/// From values to places: at(least) = 0, at(most) = 1.
struct axis {
  struct tick {
    double value;
    std::string label;
  };

  double least = 0, most = 1;
  axis_scale scale = axis_scale::linear;
  std::vector<tick> ticks;

  /// Can the value stand on this axis? Logarithmic ones have no place for what is not positive.
  bool has(double v) const {
    return std::isfinite(v) && std::abs(v) <= 1e300 && (scale == axis_scale::linear || v >= 1e-300);
  }
  /// Requires has(v).
  double at(double v) const {
    if (scale == axis_scale::linear) return (v - least) / (most - least);
    return (std::log(v) - std::log(least)) / (std::log(most) - std::log(least));
  }
};

namespace detail {

/// The smallest of 1, 2, 5 times a power of ten that is at least v > 0.
inline double round_step(double v) {
  const double power = std::pow(10.0, std::floor(std::log10(v)));
  for (const double m : {1.0, 2.0, 5.0}) {
    if (m * power >= v * (1 - 1e-9)) return m * power;
  }
  return 10 * power;
}

/// A tick's label, where neighbouring ticks differ by `step`.
inline std::string tick_label(double value, double step, axis_unit unit) {
  if (unit == axis_unit::percent) {
    const int decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step * 100) + 1e-9)), 0, 9);
    return fmt::format("{:.{}f}%", value * 100, decimals);
  }
  if (value == 0) return "0";
  const double size = std::abs(value);
  const auto scaled = [&](double by, const char* suffix) {
    const int decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step / by) + 1e-9)), 0, 9);
    return fmt::format("{:.{}f}{}", value / by, decimals, suffix);
  };
  if (size < 1e-3 || size >= 1e12) {
    const int exponent = static_cast<int>(std::floor(std::log10(size) + 1e-9));
    return fmt::format("{:.3g}e{}", value / std::pow(10.0, exponent), exponent);
  }
  if (size >= 1e9) return scaled(1e9, "G");
  if (size >= 1e6) return scaled(1e6, "M");
  if (size >= 1e4 || (size >= 1e3 && step >= 1e3)) return scaled(1e3, "k");
  return scaled(1, "");
}

/// Ticks at multiples of a round step, about `wanted` of them.
inline void linear_ticks(axis& a, int wanted, axis_unit unit) {
  const double step = round_step((a.most - a.least) / wanted);
  const double first = std::ceil(a.least / step - 1e-6), last = std::floor(a.most / step + 1e-6);
  for (double i = first; i <= last && a.ticks.size() < 30; ++i) {
    const double value = i == 0 ? 0.0 : i * step;
    a.ticks.push_back({value, tick_label(value, step, unit)});
  }
}

/// Ticks at 1, 2, 5 or 1 times powers of ten, or at every n-th power.
inline void logarithmic_ticks(axis& a, int wanted, axis_unit unit) {
  const double low = std::log10(a.least), high = std::log10(a.most);
  const double every = std::max(1.0, std::ceil((high - low) / (wanted + 1)));
  for (double e = std::floor(low / every) * every; e <= high + 1e-9; e += every) {
    for (const double m : {1.0, 2.0, 5.0}) {
      if (m > 1 && high - low > 2.05) continue;
      const double value = m * std::pow(10.0, e);
      if (value < a.least * (1 - 1e-9) || value > a.most * (1 + 1e-9)) continue;
      a.ticks.push_back({value, tick_label(value, value / m, unit)});
    }
  }
}

}  // namespace detail

/// An axis that has room for least .. most, with its ends at round values and about `wanted` ticks. Where least = most, or
/// nearly so, it is widened. Requires finite least <= most, both positive where the scale is logarithmic.
inline axis make_axis(double least, double most, axis_scale scale, axis_unit unit = axis_unit::number, int wanted = 5) {
  axis a{least, most, scale, {}};
  if (scale == axis_scale::logarithmic) {
    // Ends at 1, 2 or 5 times a power of ten, at least a factor of two apart: there are two ticks.
    a.most = detail::round_step(std::max(most, least * 1.5));
    a.least = 1 / detail::round_step(1 / least);
    detail::logarithmic_ticks(a, wanted, unit);
    return a;
  }
  if (!(most - least > std::abs(most) * 1e-7)) {
    const double around = most == 0 ? 1 : std::abs(most) * 0.5;
    a.least -= around;
    a.most += around;
  }
  const double step = detail::round_step((a.most - a.least) / wanted);
  a.least = std::floor(a.least / step + 1e-6) * step;
  a.most = std::ceil(a.most / step - 1e-6) * step;
  detail::linear_ticks(a, wanted, unit);
  return a;
}

}  // namespace program::report
