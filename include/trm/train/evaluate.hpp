// SPDX-License-Identifier: MIT
// Evaluation of a whole set: every example, a fixed number of supervision steps, metrics of the last.
#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "trm/data/batch.hpp"
#include "trm/data/sequential_reader.hpp"
#include "trm/train/solver.hpp"

namespace trm {

namespace detail {

/// Throws where the model cannot take the examples.
template <class Model>
void check_fit(const dataset_metadata& data) {
  if (data.seq_len != Model::S) {
    throw error("dataset", "has " + std::to_string(data.seq_len) + " tokens an example, the compiled model " +
                               std::to_string(Model::S));
  }
  if (data.vocab_size > Model::V) {
    throw error("dataset", "has a vocabulary of " + std::to_string(data.vocab_size) + ", the compiled model " +
                               std::to_string(Model::V));
  }
}

}  // namespace detail

/// What `each` of an evaluation is where nothing is to be done with the answers.
struct no_answers {
  void operator()(const auto&...) const {}  // nothing
};

/// Runs `max_steps` supervision steps on every example of `sources` in order (at most `max_batches` batches) and calls
/// `each(batch, part, solver)` after each batch; the first part.rows samples are examples, the others fill the batch.
/// The metrics are summed over the examples of each source, in the order of `sources`; a source that was not reached counts nothing.
/// `table`: a puzzle_table, or a view of rows that lie elsewhere; `{}` where the model has none.
template <class Model, class Backend, class Source, class Each = no_answers>
std::vector<step_metrics> evaluate(solver<Model, Backend>& s, const puzzle_rows<typename Model::master>& table,
                                   std::span<const Source> sources, const dataset_metadata& data, int max_steps,
                                   std::int64_t max_batches = std::numeric_limits<std::int64_t>::max(),
                                   Each each = {}) {
  detail::check_fit<Model>(data);
  if (max_steps < 1) throw error("max_steps", "must be at least 1, not " + std::to_string(max_steps));
  const int n = s.batch_size();
  batch_memory memory(n, Model::S);
  const batch_view view = memory.view();
  sequential_reader<Source> reader(sources, data, n, {}, max_batches);
  std::vector<step_metrics> metrics(sources.size());
  sequential_part part;
  while (reader.next(view, part)) {
    const batch b{view.inputs, view.labels,
                  Model::W > 0 ? std::span<const int>(view.puzzle_identifiers) : std::span<const int>()};
    s.begin(b, table);
    for (int i = 0; i < max_steps; ++i) s.step();
    metrics[part.source] += s.metrics(static_cast<int>(part.rows));
    each(b, part, s);
  }
  return metrics;
}

}  // namespace trm
