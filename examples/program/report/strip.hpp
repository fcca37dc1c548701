// SPDX-License-Identifier: MIT
// One example and what the model wrote after each supervision step.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "html.hpp"

namespace program::report {

/// The answer after one supervision step.
struct shown_step {
  std::string drawing;     // HTML: a drawing of drawings.hpp
  double confidence = 0;   // probability that the answer is right, by the halting head; NaN where there is none
  double cells_right = 0;  // fraction
  bool exact = false;
};

struct shown_example {
  std::string caption;       // plain text
  std::string input, truth;  // HTML: drawings; the truth may be empty
  std::vector<shown_step> steps;
};

namespace detail {

/// A fraction as a bar; the number beside it says the same.
inline std::string bar(double fraction) {
  if (!std::isfinite(fraction)) fraction = 0;
  return fmt::format("<span class=\"bar\" aria-hidden=\"true\"><i style=\"width:{:.0f}%\"></i></span>",
                     100 * std::clamp(fraction, 0.0, 1.0));
}

/// A name, flush left, and its value, flush right.
inline std::string measure(std::string_view name, std::string_view value) {
  return fmt::format("<p class=\"measure\"><span>{}</span> <span>{}</span></p>", name, value);
}

inline std::string strip_step(const shown_step& s, std::size_t number) {
  return fmt::format("<li class=\"step{}\"><p class=\"number\">step {}{}</p>{}{}{}{}</li>\n", s.exact ? " exact" : "",
                     number, s.exact ? " <b class=\"solved\">\u2713 exact</b>" : "", s.drawing, bar(s.confidence),
                     measure("halt", percent_text(s.confidence)), measure("cells", percent_text(s.cells_right)));
}

}  // namespace detail

inline std::string to_html(const shown_example& e) {
  const bool ends_exact = !e.steps.empty() && e.steps.back().exact;
  std::string out = "<article class=\"example\"><h3>" + escaped(e.caption);
  if (!e.steps.empty()) {
    out += ends_exact ? " <b class=\"solved\">\u2713 exact</b>" : " <b class=\"unsolved\">\u2717 not exact</b>";
  }
  out += "</h3><div class=\"pair\"><figure><figcaption>input</figcaption>" + e.input + "</figure>";
  if (!e.truth.empty()) out += "<figure><figcaption>solution</figcaption>" + e.truth + "</figure>";
  out += "</div>\n<ol class=\"strip\">";
  for (std::size_t i = 0; i < e.steps.size(); ++i) out += detail::strip_step(e.steps[i], i + 1);
  return out + "</ol></article>\n";
}

}  // namespace program::report
