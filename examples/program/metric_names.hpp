// SPDX-License-Identifier: MIT
// The numbers of metrics.jsonl under one flat name each, and which of them are better when they are less.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/json.hpp"

namespace program {

/// Fields that tell of clock and machine, not of the model: two runs that compute the same bits differ in them.
inline constexpr std::array measured_fields = {"time",
                                               "seconds",
                                               "steps_per_second",
                                               "samples_per_second",
                                               "memory/peak_mib",
                                               "memory/resident_mib",
                                               "memory/device_mib"};

/// Numbers by name, in the order of the names.
using flat_numbers = std::vector<std::pair<std::string, double>>;

/// A line of metrics.jsonl without measured_fields, for the comparison of two runs.
inline trm::json without_measured(trm::json line) {
  for (const char* field : measured_fields) line.erase(field);
  return line;
}

/// The numbers of a line by name: `train/lm_loss` as it stands; of an evaluation, which names its split, those of a set
/// as `test/all/exact_accuracy`, what a task adds as it stands (`ARC/pass@2`), other counts as `test/examples`. Neither
/// step nor time; no texts, intervals or nulls.
inline flat_numbers flat_metrics(const trm::json& line) {
  std::string split;
  if (const auto s = line.find("split"); s != line.end() && s->is_string()) split = s->get<std::string>() + "/";
  flat_numbers all;
  const auto add = [&](const auto& self, const std::string& name, const trm::json& value) -> void {
    if (value.is_number()) all.emplace_back(name, value.template get<double>());
    if (!value.is_object()) return;
    for (const auto& [key, inner] : value.items()) self(self, name + "/" + key, inner);
  };
  for (const auto& [key, value] : line.items()) {
    if (key == "step" || key == "time") continue;
    const bool named_by_task = key.find('/') != key.npos && !value.is_object();
    add(add, named_by_task ? key : split + key, value);
  }
  return all;
}

/// The number of that name. \throws trm::error that lists the names there are
inline double metric_value(const flat_numbers& metrics, const std::string& name) {
  std::string names;
  for (const auto& [other, value] : metrics) {
    if (other == name) return value;
    names += (names.empty() ? "" : ", ") + other;
  }
  throw trm::error("metric \"" + trm::detail::printable(name, 60) + "\"",
                   "there is none of this name, but: " + (names.empty() ? "none at all" : names));
}

/// Is less better? Of losses it is.
inline bool less_is_better(std::string_view metric) { return metric.ends_with("loss"); }

/// Is `a` better than `b`? What is not a number is worse than any number.
inline bool is_better(std::string_view metric, double a, double b) {
  if (std::isnan(b)) return !std::isnan(a);
  return less_is_better(metric) ? a < b : a > b;
}

}  // namespace program
