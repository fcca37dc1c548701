// SPDX-License-Identifier: MIT
// What a training run did, as a page to look at: curves, answers step by step, configuration, cost.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chart.hpp"
#include "metric_lines.hpp"
#include "page.hpp"
#include "strip.hpp"
#include "trm/io/json.hpp"

namespace program::report {

struct training_report {
  std::string program, title;
  std::vector<trm::json> metrics;  // the lines of metrics.jsonl
  std::vector<shown_example> examples;
  std::string configuration;  // TOML
  names_and_texts facts;      // cost, machine, model: name and text
  /// Wall time; where it is not known it is estimated from the recorded steps per second, and said to be.
  double seconds = std::numeric_limits<double>::quiet_NaN();
  std::int64_t parameters = 0;  // 0: not known
};

namespace detail {

/// A training line before those of the evaluations; what has no value at all is left out.
inline std::vector<line> with_evaluations(const training_report& r, const std::string& key) {
  std::vector<line> lines;
  if (line l = training_line(r.metrics, "train/" + key); !l.x.empty()) lines.push_back(std::move(l));
  for (line& l : evaluation_lines(r.metrics, key)) lines.push_back(std::move(l));
  return lines;
}

inline std::string curves(const training_report& r) {
  std::string out;
  const auto add = [&](chart c, bool always) {
    if (always || axes_of(c)) out += to_html(c);
  };
  const auto of = [&](const char* key) { return with_evaluations(r, key); };
  constexpr auto log = axis_scale::logarithmic;
  constexpr auto percent = axis_unit::percent;
  add({.title = "Exact accuracy",
       .lines = of("exact_accuracy"),
       .unit = percent,
       .least = 0,
       .most = 1,
       .remark = "Examples with every cell right."},
      true);
  add({.title = "Loss of the answer", .lines = of("lm_loss"), .scale = log, .remark = "lm_loss, logarithmic."}, true);
  add({.title = "Cell accuracy", .lines = of("accuracy"), .unit = percent, .most = 1}, true);
  add({.title = "Steps until halting",
       .lines = of("steps"),
       .least = 0,
       .remark = "Supervision steps spent on an example."},
      true);
  add({.title = "Accuracy of the halting decision",
       .lines = of("q_halt_accuracy"),
       .unit = percent,
       .most = 1,
       .remark = "Does the model know whether its answer is exact?"},
      true);
  std::vector<line> halting = of("q_halt_loss");
  for (line& l : of("q_continue_loss")) {
    l.name += ", continue";
    halting.push_back(std::move(l));
  }
  add({.title = "Loss of the halting decision", .lines = halting, .scale = log, .remark = "q_halt_loss, logarithmic."},
      true);
  add({.title = "Votes",
       .lines = score_lines(r.metrics, "pass@"),
       .unit = percent,
       .least = 0,
       .most = 1,
       .remark = "Tasks solved by the answers with the most votes."},
      false);
  add({.title = "Learning rate",
       .lines = {training_line(r.metrics, "train/lr", "learning rate", line_kind::plain)},
       .least = 0},
      true);
  add({.title = "Norm of the gradient",
       .lines = {training_line(r.metrics, "train/gradient_norm", "norm")},
       .scale = log,
       .remark = "Before clipping, logarithmic."},
      false);
  add({.title = "Speed", .lines = {training_line(r.metrics, "steps_per_second", "steps per second")}, .least = 0},
      false);
  return "<div class=\"charts\">" + out +
         "</div>\n<p class=\"remark\">Noisy lines are drawn pale as recorded, and strong as their trend: straight "
         "lines "
         "fitted to a twenty-fifth of the run around each point. Legends show the last value that was recorded.</p>\n";
}

/// The last value of the first set of evaluations, or of training where nothing was evaluated.
inline std::pair<std::string, std::optional<double>> final_value(const training_report& r, const std::string& key) {
  for (const line& l : evaluation_lines(r.metrics, key)) {
    if (const auto v = last_value(l)) return {l.name, v};
  }
  return {"training", last_value(training_line(r.metrics, "train/" + key))};
}

inline std::string summary(const training_report& r) {
  names_and_texts figures;
  for (const auto& [key, name] : {std::pair("exact_accuracy", "Exact accuracy"), {"accuracy", "Cell accuracy"}}) {
    const auto [set, value] = final_value(r, key);
    figures.emplace_back(std::string(name) + ", " + set, value ? percent_text(*value) : std::string(no_number));
  }
  double last = -1;
  for (const trm::json& m : r.metrics) last = std::max(last, number_in(m, "step").value_or(-1));
  const bool has_steps = last >= 0 && last < 1e15;
  figures.emplace_back("Steps", has_steps ? count_text(static_cast<std::int64_t>(last)) : std::string(no_number));
  const bool measured = std::isfinite(r.seconds);
  const double seconds = measured ? r.seconds : recorded_seconds(r.metrics);
  figures.emplace_back(measured || !std::isfinite(seconds) ? "Wall time" : "Time, by the recorded speed",
                       seconds_text(seconds));
  if (r.parameters > 0) figures.emplace_back("Parameters", count_text(r.parameters));
  return tiles(figures);
}

/// All evaluations, a row for each set.
inline std::string evaluations(const training_report& r) {
  const std::vector<evaluated_set> sets = evaluated_sets(r.metrics);
  table t{"Evaluations", {"step", "set", "examples", "exact", "cells", "halting right", "loss"}, {}};
  for (const trm::json& m : r.metrics) {
    if (!is_evaluation(m)) continue;
    for (const evaluated_set& set : sets) {
      if (split_of(m) != set.first || !m.contains(set.second)) continue;
      const trm::json& values = m.at(set.second);
      const auto number = [&](const trm::json& from, const char* key, auto text) {
        const auto v = number_in(from, key);
        return v ? text(*v) : std::string(no_number);
      };
      const auto whole = [](double v) { return std::abs(v) < 1e15 ? count_text(static_cast<std::int64_t>(v)) : "?"; };
      t.rows.push_back({number(m, "step", whole), set_name(set, one_split(sets)), number(m, "examples", whole),
                        number(values, "exact_accuracy", percent_text), number(values, "accuracy", percent_text),
                        number(values, "q_halt_accuracy", percent_text), number(values, "lm_loss", number_text)});
    }
  }
  return t.rows.empty() ? "" : folded(fmt::format("Evaluations in numbers ({})", t.rows.size()), to_html(t));
}

}  // namespace detail

/// The page. Sections without content are left out.
inline std::string to_html(const training_report& r) {
  page p(r.program, r.title);
  p.lead(detail::summary(r));
  p.section("Curves", detail::curves(r) + detail::evaluations(r));
  if (!r.examples.empty()) {
    std::string examples =
        "<p>The answer after each supervision step. <em>halt</em> is the model's probability that its answer is right, "
        "<em>cells</em> the part of the cells that are. Marked cells are wrong.</p>\n";
    for (const shown_example& e : r.examples) examples += to_html(e);
    p.section("Answers, step by step", examples);
  }
  if (!r.configuration.empty()) {
    p.section("Configuration", folded("The options of this run, as TOML", listing(r.configuration)));
  }
  if (!r.facts.empty()) p.section("Cost, machine, model", facts_list(r.facts));
  return p.html();
}

}  // namespace program::report
