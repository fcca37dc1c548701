// SPDX-License-Identifier: MIT
// Evaluation by several processes: each works on its part of every batch, and the first sees them all.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trm/data/batch.hpp"
#include "trm/data/sequential_reader.hpp"
#include "trm/train/collectives.hpp"
#include "trm/train/evaluate.hpp"
#include "trm/train/solver.hpp"

namespace trm {

/// The metrics of the first `count` samples, all counted as halted.
inline step_metrics metrics_of(const samples& all, int count) {
  step_metrics m;
  for (std::size_t i = 0; i < static_cast<std::size_t>(std::min(count, all.count)); ++i)
    m.add(all.token_results[i], all.halting[i], all.steps[i], true);
  return m;
}

namespace detail {

/// What an evaluation looks at, of all processes, at the first.
template <class Communicator>
void collect_samples(collectives<Communicator>& group, const samples& mine, samples& whole) {
  group.collect(mine.inputs, std::span(whole.inputs));
  group.collect(mine.labels, std::span(whole.labels));
  group.collect(mine.puzzle_identifiers, std::span(whole.puzzle_identifiers));
  group.collect(mine.predictions, std::span(whole.predictions));
  group.collect(mine.steps, std::span(whole.steps));
  group.collect(mine.token_results, std::span(whole.token_results));
  group.collect(mine.halting, std::span(whole.halting));
}

}  // namespace detail

/// evaluate() with batches of processes.size() * s.batch_size() examples. After every batch calls `each(batch, part, samples)` on all
/// processes: the first is given the whole batch, in the order of the data, the others what they have worked on themselves.
/// Every process returns the metrics of the whole, with the bits of one process with batches of that size.
template <class Model, class Backend, class Source, class Communicator, class Each>
std::vector<step_metrics> evaluate_together(solver<Model, Backend>& s, const puzzle_rows<typename Model::master>& table,
                                            std::span<const Source> sources, const dataset_metadata& data,
                                            int max_steps, std::int64_t max_batches, Communicator& processes,
                                            Each each) {
  detail::check_fit<Model>(data);
  if (max_steps < 1) throw error("max_steps", "must be at least 1, not " + std::to_string(max_steps));
  collectives<Communicator> group(processes);
  const int local = s.batch_size(), all = local * group.size();
  const bool first = group.rank() == 0;
  samples whole(first ? all : 0, Model::S, Model::P);
  batch_memory memory(local, Model::S);
  const batch_view view = memory.view();
  sequential_reader<Source> reader(sources, data, all, {.index = group.rank(), .count = group.size()}, max_batches);
  std::vector<step_metrics> metrics(sources.size());
  const auto batch_of = [](const auto& of) {
    return batch{of.inputs, of.labels,
                 Model::W > 0 ? std::span<const int>(of.puzzle_identifiers) : std::span<const int>()};
  };
  for (sequential_part part; reader.next(view, part);) {
    s.begin(batch_of(view), table);
    for (int i = 0; i < max_steps && part.rows > 0; ++i) s.step();
    detail::collect_samples(group, s.samples(), whole);
    if (!first) {
      each(batch_of(view), part, s.samples());
      continue;
    }
    part.rows = std::min<std::int64_t>(all, sources[part.source].rows() - part.first_row);
    metrics[part.source] += metrics_of(whole, static_cast<int>(part.rows));
    each(batch_of(whole), part, whole);
  }
  group.broadcast(std::span(metrics));
  return metrics;
}

}  // namespace trm
