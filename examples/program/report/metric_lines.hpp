// SPDX-License-Identifier: MIT
// From the lines of metrics.jsonl to the lines of charts. What is missing, null or of another type is passed over.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "chart.hpp"
#include "trm/io/json.hpp"

namespace program::report {

/// The number under a key of an object; nothing where there is none.
inline std::optional<double> number_in(const trm::json& object, const std::string& key) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

/// Is this the line of an evaluation? Those name their split.
inline bool is_evaluation(const trm::json& metrics) { return metrics.is_object() && metrics.contains("split"); }

/// "train/<key>" of all lines that have it. Where it is null there is a gap.
inline line training_line(std::span<const trm::json> metrics, const std::string& key, std::string name = "training",
                          line_kind kind = line_kind::noisy) {
  line out{std::move(name), {}, {}, kind};
  for (const trm::json& m : metrics) {
    const std::optional<double> step = number_in(m, "step");
    if (!step || is_evaluation(m) || !m.contains(key)) continue;
    out.x.push_back(*step);
    out.y.push_back(number_in(m, key).value_or(std::numeric_limits<double>::quiet_NaN()));
  }
  return out;
}

/// A set of an evaluation: split ("test") and name ("all").
using evaluated_set = std::pair<std::string, std::string>;

/// How a set is called: "all" goes without saying, and so does the split where there is only one.
inline std::string set_name(const evaluated_set& set, bool one_split) {
  std::string name = "evaluation";
  if (!one_split) name += " (" + set.first + ")";
  return set.second == "all" ? name : name + ", " + set.second;
}

/// The split of an evaluation's line.
inline std::string split_of(const trm::json& m) {
  return m.at("split").is_string() ? m.at("split").get<std::string>() : std::string("unnamed");
}

/// All evaluated sets in the order in which they first occur, "all" before others.
inline std::vector<evaluated_set> evaluated_sets(std::span<const trm::json> metrics) {
  std::vector<evaluated_set> found;
  for (const trm::json& m : metrics) {
    if (!is_evaluation(m)) continue;
    for (const auto& [key, value] : m.items()) {
      const evaluated_set set{split_of(m), key};
      if (value.is_object() && std::find(found.begin(), found.end(), set) == found.end()) found.push_back(set);
    }
  }
  std::stable_partition(found.begin(), found.end(), [](const evaluated_set& s) { return s.second == "all"; });
  return found;
}

/// Is there one split, or none?
inline bool one_split(std::span<const evaluated_set> sets) {
  return std::all_of(sets.begin(), sets.end(), [&](const evaluated_set& s) { return s.first == sets[0].first; });
}

/// `key` of every evaluated set that has it, a line for each.
inline std::vector<line> evaluation_lines(std::span<const trm::json> metrics, const std::string& key) {
  const std::vector<evaluated_set> sets = evaluated_sets(metrics);
  std::vector<line> lines;
  for (const evaluated_set& set : sets) {
    line l{set_name(set, one_split(sets)), {}, {}, line_kind::marked};
    for (const trm::json& m : metrics) {
      const std::optional<double> step = number_in(m, "step");
      if (!step || !is_evaluation(m) || split_of(m) != set.first || !m.contains(set.second)) continue;
      const trm::json& values = m.at(set.second);
      if (!values.is_object() || !values.contains(key)) continue;
      l.x.push_back(*step);
      l.y.push_back(number_in(values, key).value_or(std::numeric_limits<double>::quiet_NaN()));
    }
    if (!l.x.empty()) lines.push_back(std::move(l));
  }
  return lines;
}

/// Numbers beside the sets of evaluations whose key holds `part`: "ARC/pass@1".
inline std::vector<line> score_lines(std::span<const trm::json> metrics, const std::string& part) {
  std::vector<line> lines;
  for (const trm::json& m : metrics) {
    const std::optional<double> step = number_in(m, "step");
    if (!step || !is_evaluation(m)) continue;
    for (const auto& [key, value] : m.items()) {
      if (!value.is_number() || key.find(part) == key.npos) continue;
      auto at = std::find_if(lines.begin(), lines.end(), [&key = key](const line& l) { return l.name == key; });
      if (at == lines.end()) at = lines.insert(lines.end(), line{key, {}, {}, line_kind::marked});
      at->x.push_back(*step);
      at->y.push_back(value.get<double>());
    }
  }
  return lines;
}

/// Seconds of training by the recorded steps per second; NaN where none were recorded.
inline double recorded_seconds(std::span<const trm::json> metrics) {
  double seconds = 0, before = 0;
  bool any = false;
  for (const trm::json& m : metrics) {
    const std::optional<double> step = number_in(m, "step"), rate = number_in(m, "steps_per_second");
    if (!step || !rate || !(*rate > 0) || *step <= before) continue;
    seconds += (*step - before) / *rate;
    before = *step;
    any = true;
  }
  return any ? seconds : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace program::report
