// SPDX-License-Identifier: MIT
// Points of a line: pieces between gaps, what is visible of thousands, a smoothed course.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "axis.hpp"

namespace program::report {

/// A point on the unit square, y upwards.
struct point {
  double x, y;
  friend bool operator==(const point&, const point&) = default;
};
/// Points between two gaps.
using piece = std::vector<point>;

/// The points (x[i], y[i]) on the axes in the order of x, cut wherever one has no place on them (NaN, infinite, not positive on a
/// logarithmic axis). Points beyond the shorter of the two are left out.
inline std::vector<piece> pieces(std::span<const double> x, std::span<const double> y, const axis& across,
                                 const axis& up) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (across.has(x[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return x[a] < x[b]; });
  std::vector<piece> found(1);
  for (const std::size_t i : order) {
    if (up.has(y[i])) {
      found.back().push_back({across.at(x[i]), up.at(y[i])});
    } else if (!found.back().empty()) {
      found.emplace_back();
    }
  }
  if (found.back().empty()) found.pop_back();
  return found;
}

/// What is visible of a line when the unit square is `columns` wide: of each column the first, lowest, highest and last point.
inline piece thinned(const piece& line, int columns) {
  piece out;
  const auto column = [&](const point& p) { return static_cast<int>(p.x * columns); };
  for (std::size_t begin = 0; begin < line.size();) {
    std::size_t end = begin, lowest = begin, highest = begin;
    for (; end < line.size() && column(line[end]) == column(line[begin]); ++end) {
      if (line[end].y < line[lowest].y) lowest = end;
      if (line[end].y > line[highest].y) highest = end;
    }
    std::size_t kept[] = {begin, std::min(lowest, highest), std::max(lowest, highest), end - 1};
    for (std::size_t i = 0; i < 4; ++i) {
      if (i == 0 || kept[i] != kept[i - 1]) out.push_back(line[kept[i]]);
    }
    begin = end;
  }
  return out;
}

/// At each point the value of the straight line that fits it and its neighbours best (least squares over the places in the list),
/// `reach` of them on either side and fewer beyond an end: the moving mean, and at the ends, where a mean would lag behind, the
/// trend. It stays within the lowest and the highest value of all. On a logarithmic axis it is of logarithms.
inline piece smoothed(const piece& line, std::size_t reach) {
  piece out(line.size());
  std::vector<double> sum(line.size() + 1, 0.0), moment(line.size() + 1, 0.0);
  for (std::size_t i = 0; i < line.size(); ++i) {
    sum[i + 1] = sum[i] + line[i].y;
    moment[i + 1] = moment[i] + static_cast<double>(i) * line[i].y;
  }
  for (std::size_t i = 0; i < line.size(); ++i) {
    const std::size_t begin = i - std::min(i, reach), end = std::min(line.size(), i + reach + 1);
    const double n = static_cast<double>(end - begin), mean = (sum[end] - sum[begin]) / n;
    const double middle = (static_cast<double>(begin) + static_cast<double>(end - 1)) / 2;
    // sum (i - middle) y, and sum (i - middle)^2 of n places in a row
    const double covariance = moment[end] - moment[begin] - middle * (sum[end] - sum[begin]);
    const double spread = n * (n * n - 1) / 12;
    const double slope = spread > 0 ? covariance / spread : 0;
    out[i] = {line[i].x, mean + slope * (static_cast<double>(i) - middle)};
  }
  // The line may point beyond what was seen: an accuracy above 100%.
  if (!line.empty()) {
    const auto [low, high] =
        std::minmax_element(line.begin(), line.end(), [](const point& a, const point& b) { return a.y < b.y; });
    for (point& p : out) p.y = std::clamp(p.y, low->y, high->y);
  }
  return out;
}

}  // namespace program::report
