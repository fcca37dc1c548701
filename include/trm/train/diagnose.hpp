// SPDX-License-Identifier: MIT
// Where a step that went wrong began to: the first value that is not finite, in the order in which the step computes.
#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trm/backend/watch.hpp"
#include "trm/core/call.hpp"
#include "trm/models/model.hpp"
#include "trm/ops/cross_entropy.hpp"
#include "trm/ops/halting.hpp"
#include "trm/ops/rows.hpp"

namespace trm {

/// Application i of a schedule (from 0 on) in words: "application 7 of 21 (z_L, cycle 2)". A cycle ends with an application that
/// does not read the input.
template <class Schedule>
std::string application_text(std::size_t i) {
  int cycle = 1;
  for (std::size_t j = 0; j < i; ++j) cycle += !Schedule::applications[j].input;
  const char* state = Schedule::states[static_cast<std::size_t>(Schedule::applications[i].writes)];
  return "application " + std::to_string(i + 1) + " of " + std::to_string(Schedule::applications.size()) + " (z_" +
         state + ", cycle " + std::to_string(cycle) + ")";
}

/// What a step's losses depend on besides its outputs.
struct loss_terms {
  const int* steps = nullptr;  // [B] supervision steps done, this one included
  int max_steps = 1;           // of a sample, as trained
  double scale = 1;            // of the gradient
};

/// Computes one training step of a micro-batch again and finds the first value that is not finite: among the parameters (as they are
/// rounded to compute with), initial states, puzzle rows and the states that the step began with, then wherever the step
/// computes one, operation by operation: input, applications of the schedule, heads, look-ahead of q_continue, losses, and the
/// gradients in the order of the backward pass. Nothing: all of them are finite.
///
/// Arguments as of Model::forward, losses and backward: z holds the states before the step and is overwritten, as are `out` and `m`;
/// gradients are added to `g`, so that a sum over micro-batches overflows as it did. The same arithmetic, hence the same bits.
template <class Model, class Backend, class Params, class Constants, class Gradients>
std::optional<non_finite> find_non_finite(const call<Backend>& c, const Params& p, const Constants& initial,
                                          const Gradients& g, const step_input<typename Model::master>& in,
                                          const typename Model::carry& z, const typename Model::outputs& out,
                                          typename Model::training_memory& m, const loss_terms& terms) {
  using compute = typename Model::compute;
  using master = typename Model::master;
  using schedule = typename Model::schedule;
  const master* parameters = ops::values(p.embed_tokens);  // the first of the flat buffer
  const master* constants = initial.initial[0].data;
  finite_observer observer({{parameters, sizeof(master), Model::table},
                            {constants, sizeof(master), Model::constant_table},
                            {g.embed_tokens.data, sizeof(master), Model::table}},
                           schedule::applications.size(), application_text<schedule>);

  for (const parameter_entry& e : Model::table) observer.template tensor<compute>(parameters + e.offset, e.count);
  for (const parameter_entry& e : Model::constant_table) {
    observer.template tensor<compute>(constants + e.offset, e.count);
  }
  if (Model::W > 0) {
    observer.look("puzzle row", {}, seen_values::packed<compute>(in.puzzle_rows, c.batch, Model::W));
  }
  for (std::size_t s = 0; s < Model::core::state_count; ++s) {
    ops::reset(c, z.z[s], initial.initial[s], in.reset);  // what halted does not count; the step does the same again
    observer.look(std::string("z_") + schedule::states[s] + " before the step", {}, seen_list(c.batch, c.rows)(z.z[s]));
  }
  if (observer.found()) {
    non_finite found = *observer.found();
    found.before_step = true;
    return found;
  }

  watch<Backend> watched(c.backend, observer);
  const call<watch<Backend>> cw{watched, c.batch, c.rows, c.lengths, c.prefixes};
  Model::forward(cw, p, initial, in, z, out, m);
  if (observer.found()) return observer.found();
  observer.purpose(", one step ahead for q_continue");
  Model::probe(cw, p, z, m);
  observer.purpose("");
  const auto samples = static_cast<std::size_t>(c.batch);
  std::vector<int> predictions(samples * Model::S);
  std::vector<token_result> tokens(samples);
  std::vector<halting_result> halting(samples);
  Model::losses(cw, in, out, terms.steps, terms.max_steps, terms.scale, m, predictions.data(), tokens.data(),
                halting.data());
  observer.backwards();
  if (!observer.found()) Model::backward(cw, p, g, in, z, out, m);
  return observer.found();
}

}  // namespace trm
