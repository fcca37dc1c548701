// SPDX-License-Identifier: MIT
// Line charts as inline SVG. Text keeps its size whatever the width: only the lines are stretched.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "axis.hpp"
#include "html.hpp"
#include "thinning.hpp"

namespace program::report {

/// plain: the points joined; noisy: pale as they are, and their trend; marked: joined, each with a dot.
enum class line_kind { plain, noisy, marked };

/// A series. NaN and infinite values are gaps.
struct line {
  std::string name;
  std::vector<double> x, y;
  line_kind kind = line_kind::plain;
};

/// At most eight lines are told apart by colour and dashes.
struct chart {
  std::string title;
  std::vector<line> lines;
  axis_scale scale = axis_scale::linear;  // of y
  axis_unit unit = axis_unit::number;     // of y
  /// Ends of the y axis where they are not to follow from the values: 0 and 1 of an accuracy.
  std::optional<double> least = {}, most = {};
  std::string x_label = "supervision steps";
  /// A sentence below the title; may be empty.
  std::string remark = {};
};

namespace detail {

/// Pixels across which a chart is drawn at most, of which lines are thinned to what is visible.
inline constexpr int chart_columns = 480;
/// Lines with fewer points are not smoothed.
inline constexpr std::size_t smoothed_from = 60;

/// How many points to either side the trend of a noisy line is fitted to.
inline std::size_t smoothing_reach(std::size_t points) { return points < smoothed_from ? 0 : points / 50 + 1; }

/// The axes that have room for all values; nothing where there is none.
inline std::optional<std::pair<axis, axis>> axes_of(const chart& c) {
  const axis any_x, any_y{0, 1, c.scale, {}};
  double left = 0, right = 0, low = 0, high = 0;
  bool found = false;
  for (const line& l : c.lines) {
    for (std::size_t i = 0; i < std::min(l.x.size(), l.y.size()); ++i) {
      if (!any_x.has(l.x[i]) || !any_y.has(l.y[i])) continue;
      left = std::min(left, l.x[i]);  // from 0 on, where training begins
      right = found ? std::max(right, l.x[i]) : l.x[i];
      low = found ? std::min(low, l.y[i]) : l.y[i];
      high = found ? std::max(high, l.y[i]) : l.y[i];
      found = true;
    }
  }
  if (!found) return std::nullopt;
  if (c.least && any_y.has(*c.least)) low = std::min(low, *c.least);
  if (c.most && any_y.has(*c.most)) high = std::max(high, *c.most);
  axis across{left, right > left ? right : left + 1, axis_scale::linear, {}};
  linear_ticks(across, 6, axis_unit::number);
  return std::pair(across, make_axis(low, high, c.scale, c.unit));
}

/// Path data in units of a thousandth, y downwards. A single point is a stroke without length, whose round ends show.
inline std::string path_data(const std::vector<piece>& drawn) {
  std::string d;
  for (const piece& p : drawn) {
    for (std::size_t i = 0; i < p.size(); ++i) {
      d += fmt::format("{}{:.4g} {:.4g}", i == 0 ? "M" : i == 1 ? "L" : " ", p[i].x * 1000, (1 - p[i].y) * 1000);
    }
    if (p.size() == 1) d += "h0";
  }
  return d;
}

inline std::string value_text(double v, axis_unit unit) {
  return unit == axis_unit::percent ? percent_text(v) : number_text(v);
}

/// The last value that is a number.
inline std::optional<double> last_value(const line& l) {
  for (std::size_t i = std::min(l.x.size(), l.y.size()); i-- > 0;) {
    if (std::isfinite(l.y[i])) return l.y[i];
  }
  return std::nullopt;
}

/// The paths of line `number`.
inline std::string line_paths(const line& l, std::size_t number, const axis& across, const axis& up) {
  std::vector<piece> whole = pieces(l.x, l.y, across, up), visible, trend, marks;
  std::size_t points = 0;
  for (const piece& p : whole) points += p.size();
  const std::size_t reach = l.kind == line_kind::noisy ? smoothing_reach(points) : 0;
  for (const piece& p : whole) {
    visible.push_back(thinned(p, chart_columns));
    if (reach > 0) trend.push_back(thinned(smoothed(p, reach), chart_columns));
    // A point between two gaps is no line: it is seen by its mark alone.
    if (p.size() > 1 && l.kind != line_kind::marked) continue;
    for (const point& each : visible.back()) marks.push_back({each});
  }
  const auto path = [&](std::string_view kind, const std::vector<piece>& drawn) {
    return fmt::format("<path class=\"s{} {}\" d=\"{}\"/>", number % 8 + 1, kind, path_data(drawn));
  };
  std::string out = reach > 0 ? path("raw", visible) + path("line", trend) : path("line", visible);
  // Dots that would touch are a line.
  if (!marks.empty() && marks.size() <= 60) out += path("marks", marks);
  return out;
}

/// Ticks and the lines across the chart that belong to them.
inline std::string scales(const axis& across, const axis& up) {
  std::string lines, labels;
  for (const axis::tick& t : up.ticks) {
    const double y = 100 * (1 - up.at(t.value));
    lines += fmt::format("<line x1=\"0\" x2=\"100%\" y1=\"{0:.4g}%\" y2=\"{0:.4g}%\"/>", y);
    labels += fmt::format("<text class=\"y\" x=\"-8\" y=\"{:.4g}%\" dy=\".33em\">{}</text>", y, t.label);
  }
  for (const axis::tick& t : across.ticks) {
    const double x = 100 * across.at(t.value);
    lines += fmt::format("<line class=\"tick\" x1=\"{0:.4g}%\" x2=\"{0:.4g}%\" y1=\"100%\" y2=\"101.5%\"/>", x);
    labels += fmt::format("<text x=\"{:.4g}%\" y=\"100%\" dy=\"1.5em\">{}</text>", x, t.label);
  }
  return "<g class=\"scale\">" + lines + labels + "</g>";
}

}  // namespace detail

/// A figure: title, legend with the last value of each line, the chart. Without any value it says so.
inline std::string to_html(const chart& c) {
  std::string legend, spoken;
  for (std::size_t i = 0; i < c.lines.size(); ++i) {
    const std::optional<double> last = detail::last_value(c.lines[i]);
    if (!last) continue;
    const std::string value = detail::value_text(*last, c.unit);
    legend += fmt::format(
        "<li><svg class=\"key\" aria-hidden=\"true\" viewBox=\"0 0 28 10\"><path class=\"s{0} line\" d=\"M2 5H26\"/>{1}"
        "</svg>{2} <b>{3}</b></li>",
        i % 8 + 1,
        c.lines[i].kind == line_kind::marked ? fmt::format("<path class=\"s{} marks\" d=\"M14 5h0\"/>", i % 8 + 1) : "",
        escaped(c.lines[i].name), value);
    spoken += fmt::format("; {}: last {}", c.lines[i].name, value);
  }
  std::string out = "<figure class=\"chart\"><figcaption>" + escaped(c.title) + "</figcaption>";
  if (!c.remark.empty()) out += "<p class=\"remark\">" + escaped(c.remark) + "</p>";
  const auto axes = detail::axes_of(c);
  if (!axes) return out + "<p class=\"nothing\">no values were recorded</p></figure>\n";
  const auto& [across, up] = *axes;
  out += "<ul class=\"legend\">" + legend + "</ul>";
  std::string paths;
  for (std::size_t i = 0; i < c.lines.size(); ++i) paths += detail::line_paths(c.lines[i], i, across, up);
  // What the script needs to turn places back into values.
  out += fmt::format("<div class=\"plot\" data-x=\"{} {}\" data-y=\"{} {}\" data-scale=\"{}\" data-unit=\"{}\">",
                     across.least, across.most, up.least, up.most, c.scale == axis_scale::linear ? "linear" : "log",
                     c.unit == axis_unit::percent ? "percent" : "number");
  out += fmt::format(
      "<svg role=\"img\" aria-label=\"{}\" width=\"100%\" height=\"100%\">{}"
      "<svg class=\"lines\" viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" width=\"100%\" height=\"100%\">{}"
      "</svg></svg></div>",
      escaped(c.title + " against " + c.x_label + spoken), detail::scales(across, up), paths);
  return out + "<p class=\"x-label\">" + escaped(c.x_label) + "</p></figure>\n";
}

}  // namespace program::report
