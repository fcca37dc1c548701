// SPDX-License-Identifier: MIT
// A model so small that it is compiled in a few seconds.
#pragma once
#include <vector>

#include "trm/train/solver.hpp"

constexpr trm::config tiny_configuration{
    .tokens = 4, .vocab = 6, .hidden = 8, .heads = 2, .layers = 1, .h_cycles = 1, .l_cycles = 1};
struct tiny : trm::model<tiny_configuration> {};

/// The first predicted token after one supervision step with the initial weights of `seed`.
inline int first_prediction(int seed) {
  trm::cpu::context<> device(1);
  trm::weights<tiny> weights;
  weights.initialise(static_cast<std::uint64_t>(seed));
  trm::solver<tiny> solver(device, 1);
  solver.use(weights);
  const std::vector<int> tokens{1, 2, 3, 4};
  solver.begin({tokens, {}, {}});
  solver.step();
  return solver.samples().predictions[0];
}
