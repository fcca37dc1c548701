// SPDX-License-Identifier: MIT
// A model of the published size on a GPU: a few steps, twice, and an answer.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "trm/backend/cuda/gpu.cuh"
#include "trm/train/cuda/solver.hpp"
#include "trm/train/cuda/trainer.hpp"
#include "unit/train/generated_batch.hpp"

namespace trm_test {

/// Losses are finite and the same in a second run; the answer is the one of the weights that were trained.
template <class Model>
void check_published() {
  constexpr int batch = 4, identifiers = 3;
  using context = trm::cuda::context<trm::cuda::gpu>;
  trm::training_options options{.batch = batch, .micro_batch = 2, .max_steps = 4, .puzzle_identifiers = identifiers};
  options.ema_rate = 0.999;
  trm::cuda::gpu device;
  context cuda(device);
  std::vector<double> losses[2];
  for (auto& of_run : losses) {
    trm::trainer<Model, trm::adam_atan2, context> trainer(cuda, options);
    trainer.initialise(0);
    const generated_batch b = batch_for<Model>(batch, 1, identifiers);
    for (int i = 0; i < 4; ++i) of_run.push_back(trainer.step(b.view()).metrics.loss());
    CHECK(trainer.captured());
    for (double loss : of_run) CHECK(std::isfinite(loss));

    trm::solver<Model, context> solver(cuda, batch);
    solver.use_on_device(trainer.ema_on_device(), trainer.constants_on_device());
    solver.begin(b.view(), &trainer.table());
    for (int i = 0; i < 3; ++i) solver.step();
    CHECK(std::isfinite(solver.metrics().lm_loss));
    of_run.push_back(solver.metrics().lm_loss);
  }
  CHECK(losses[0] == losses[1]);
}

}  // namespace trm_test
