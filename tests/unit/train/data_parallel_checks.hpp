// SPDX-License-Identifier: MIT
// What must hold of data-parallel training over any communicator.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "trm/train/trainer.hpp"
#include "unit/train/generated_batch.hpp"

namespace trm_test {

constexpr trm::config parallel_config{.tokens = 6,
                                      .vocab = 7,
                                      .hidden = 16,
                                      .heads = 2,
                                      .h_cycles = 1,
                                      .l_cycles = 2,
                                      .puzzle_positions = 1,
                                      .puzzle_width = 12};
using parallel_model = trm::model<parallel_config>;
constexpr int parallel_batch = 12, parallel_steps = 100, few_identifiers = 4;  // each on several ranks

inline trm::training_options parallel_options(int parts) {
  trm::training_options o{.batch = parallel_batch, .gradient_parts = parts, .max_steps = 4, .exploration = 0.5};
  o.optimizer.learning_rate = 3e-4;
  o.schedule = {.warmup = 10, .total = 200, .min_ratio = 0.1};
  o.ema_rate = 0.9;
  o.clip_norm = 0.05;
  o.puzzle_identifiers = few_identifiers;
  o.seed = 5;
  return o;
}

/// What a run leaves.
struct parallel_run {
  std::vector<float> parameters, ema, table;
  std::vector<double> losses, norms, counts;    // of each step
  std::vector<unsigned char> halted;            // of each step and sample of this process
  std::vector<std::vector<float>> dense;        // each_state, of the first process
  std::vector<std::vector<double>> per_sample;  // each_state, of the first process
  friend bool operator==(const parallel_run&, const parallel_run&) = default;
};

/// The examples of the whole batch of a step; equal ones come again, so that there is something to learn.
inline generated_batch offered_at(int step) {
  return batch_for<parallel_model>(parallel_batch, static_cast<std::uint64_t>(step % 5), few_identifiers);
}

template <class Trainer>
parallel_run train_parallel(Trainer& t, int rank, int steps = parallel_steps) {
  parallel_run run;
  t.weights().initialise(1);
  t.weights()["model.inner.q_head.bias"][0] = 1;  // says halt, so that exploration decides as well
  t.weights_changed();
  const int local = t.local_batch(), first = local * rank;
  for (int s = 0; s < steps; ++s) {
    const generated_batch b = offered_at(s);
    const std::size_t tokens = parallel_model::S, from = static_cast<std::size_t>(first),
                      n = static_cast<std::size_t>(local);
    const trm::step_report r =
        t.step({std::span(b.inputs).subspan(from * tokens, n * tokens),
                std::span(b.labels).subspan(from * tokens, n * tokens), std::span(b.identifiers).subspan(from, n)});
    run.losses.push_back(r.metrics.loss()), run.norms.push_back(r.gradient_norm), run.counts.push_back(r.metrics.count);
    const auto& h = t.samples().halted;
    run.halted.insert(run.halted.end(), h.begin(), h.end());
  }
  run.parameters.assign(t.weights().parameters(), t.weights().parameters() + parallel_model::extent);
  run.ema.assign(t.ema(), t.ema() + parallel_model::extent);
  run.table.assign(t.table().data(), t.table().data() + t.table().rows() * t.table().width());
  t.gather_samples();
  if (rank > 0) return run;
  std::as_const(t).each_state(
      [&](const auto&, const float* v) { run.dense.emplace_back(v, v + parallel_model::extent); },
      [&](const auto&, const auto&, const auto v) { run.per_sample.emplace_back(v.begin(), v.end()); });
  return run;
}

/// One process with so many parts. Each is trained once.
inline const parallel_run& train_alone(int parts) {
  static std::map<int, parallel_run> runs;
  if (!runs.contains(parts)) {
    trm::cpu::context<> device(1);
    trm::trainer<parallel_model> t(device, parallel_options(parts));
    runs[parts] = train_parallel(t, 0);
  }
  return runs.at(parts);
}

/// The process of rank `processes.rank()`, compared with `alone`, a process with as many parts.
template <class C>
void check_same_as_alone(C& processes, const parallel_run& alone) {
  trm::cpu::context<> device(1);
  using trainer = trm::trainer<parallel_model, trm::adam_atan2, trm::cpu::context<>, C>;
  trainer t(device, parallel_options(1), processes);
  CHECK(t.options().gradient_parts == processes.size());
  CHECK(t.local_batch() * processes.size() == parallel_batch);
  parallel_run here = train_parallel(t, processes.rank());
  // its samples among those of the whole batch
  std::vector<unsigned char> halted;
  for (int s = 0; s < parallel_steps; ++s) {
    const auto at = alone.halted.begin() + s * parallel_batch + t.local_batch() * processes.rank();
    halted.insert(halted.end(), at, at + t.local_batch());
  }
  CHECK(here.halted == halted);
  here.halted = alone.halted;
  CHECK(here.parameters == alone.parameters);
  CHECK(here.losses == alone.losses);
  if (processes.rank() > 0) here.dense = alone.dense, here.per_sample = alone.per_sample;
  CHECK(here == alone);
}

}  // namespace trm_test
