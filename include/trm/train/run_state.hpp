// SPDX-License-Identifier: MIT
// The arrays that the state of a training run consists of, with their names in a checkpoint: the same for every backend.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/train/samples.hpp"

namespace trm::detail {

/// Calls dense(prefix, values) for the arrays in the layout of the parameters - `raw`, the parameters beside an average, and both
/// `moments`, one behind the other; null: there are none - and part(name, shape of the whole batch, values) for those with an entry for
/// each of the samples `s` of this process. state(name): the values of a state of the schedule.
template <class Model, class Master, class Moments, class Samples, class State, class Dense, class Part>
void visit_run_state(Master* raw, Moments* moments, std::int64_t batch, Samples& s, State state, Dense& dense,
                     Part part) {
  if (raw != nullptr) dense("raw.", raw);
  if (moments != nullptr) dense("moment1.", moments), dense("moment2.", moments + Model::extent);
  for (std::size_t i = 0; i < Model::core::state_count; ++i) {
    part("carry." + std::string(Model::schedule::states[i]), std::vector<std::int64_t>{batch, Model::L, Model::D},
         state(Model::schedule::states[i]));
  }
  const auto integers = [&](const char* name, auto& values) {
    std::vector<std::int64_t> shape{batch};
    if (values.size() != s.steps.size()) shape.push_back(Model::S);
    part("samples." + std::string(name), std::move(shape), std::span(values));
  };
  integers("inputs", s.inputs), integers("labels", s.labels);
  integers("puzzle_identifiers", s.puzzle_identifiers);
  integers("lengths", s.lengths), integers("prefixes", s.prefixes);
  integers("steps", s.steps), integers("halted", s.halted);
}

}  // namespace trm::detail
