// SPDX-License-Identifier: MIT
// Evaluated and graded ARC tasks as the report draws them.
#pragma once
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "../program/report/evaluation_report.hpp"
#include "trm/data/arc/evaluation.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/io/json.hpp"

namespace trm_arc {

/// A task with its demonstrations and the attempts of `view`. Attempts without votes (a submission's) have no confidence.
inline program::report::shown_task shown_task(const trm::arc::task& source, const trm::arc::task_view& view) {
  program::report::shown_task out{.id = source.id, .demonstrations = {}, .tests = {}};
  for (const trm::arc::example& pair : source.train) {
    out.demonstrations.emplace_back(pair.input, pair.output.value_or(trm::arc::grid()));
  }
  for (const trm::arc::input_view& in : view.inputs) {
    program::report::shown_test& test = out.tests.emplace_back();
    test.input = in.input;
    test.truth = in.truth;
    for (const trm::arc::answer& a : in.answers) {
      test.attempts.push_back({a.cells, static_cast<std::int64_t>(a.votes),
                               a.votes > 0 ? a.confidence : std::numeric_limits<double>::quiet_NaN()});
    }
  }
  return out;
}

inline std::vector<program::report::shown_pass> shown_passes(const std::vector<trm::arc::pass_at>& passes) {
  std::vector<program::report::shown_pass> out;
  for (const trm::arc::pass_at& p : passes) out.push_back({static_cast<int>(p.k), p.per_task, p.per_input});
  return out;
}

/// The counts and shares of a result, under their names as words, without pass@k, which stands above them.
inline program::report::names_and_texts facts_of(const trm::json& result) {
  program::report::names_and_texts out;
  for (const auto& [key, value] : result.items()) {
    if (key.starts_with("ARC/pass@") || value.is_structured()) continue;
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (value.is_number_float()) text = program::report::percent_text(value.get<double>());
    std::string name = key.starts_with("ARC/") ? key.substr(4) : key;
    std::ranges::replace(name, '_', ' ');
    out.emplace_back(std::move(name), std::move(text));
  }
  return out;
}

}  // namespace trm_arc
