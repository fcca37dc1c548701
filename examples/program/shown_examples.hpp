// SPDX-License-Identifier: MIT
// Examples of a report: what a solver answers, step by step, drawn.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <fmt/core.h>

#include "any_model.hpp"
#include "any_source.hpp"
#include "report/training_report.hpp"
#include "task.hpp"
#include "trm/train/samples.hpp"

namespace program {

/// A report is looked at: more steps of an example are not drawn.
inline constexpr int most_shown_steps = 32;

/// The answers to `most` examples at every supervision step, drawn.
inline std::vector<report::shown_example> shown_examples(any_solver& solver, const example_data& data,
                                                         const drawing& draw, int max_steps, int most) {
  const any_source& source = data.sources.front();
  const auto n = static_cast<std::size_t>(data.metadata.seq_len);
  const auto count = static_cast<std::size_t>(
      std::min<std::int64_t>({most, source.rows(), static_cast<std::int64_t>(solver.batch_size())}));
  const auto batch = static_cast<std::size_t>(solver.batch_size());
  std::vector<int> inputs(batch * n, data.metadata.pad_id), labels(batch * n, trm::ignored_label);
  std::vector<int> identifiers(batch, data.metadata.blank_identifier_id);
  std::int64_t puzzle = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t row = source.rows() * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(count);
    while (row >= source.rows_of(puzzle).last) ++puzzle;
    source.read(row, inputs.data() + i * n, labels.data() + i * n);
    identifiers[i] = source.puzzle_identifier(puzzle);
  }
  solver.begin({inputs, labels, solver.identifiers() > 0 ? std::span<const int>(identifiers) : std::span<const int>()});
  std::vector<report::shown_example> all(count);
  for (int s = 0; s < max_steps; ++s) {
    solver.step();
    const trm::samples& now = solver.samples();
    for (std::size_t i = 0; i < count; ++i) {
      const drawing::tokens in(inputs.data() + i * n, n), label(labels.data() + i * n, n),
          answer(now.predictions.data() + i * n, n);
      if (s == 0) all[i] = {fmt::format("example {}", i + 1), draw.input(in), draw.truth(in, label), {}};
      const trm::token_result& t = now.token_results[i];
      all[i].steps.push_back({draw.answer(in, label, answer), probability(now.halting[i].q_halt),
                              t.supervised > 0 ? static_cast<double>(t.correct) / t.supervised : 0, t.exact()});
    }
  }
  return all;
}

}  // namespace program
