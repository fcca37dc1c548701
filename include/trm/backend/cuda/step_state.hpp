// SPDX-License-Identifier: MIT
// What changes from step to step, in one struct in device memory: a captured step reads it, so the same graph serves every step.
#pragma once
#include <cmath>
#include <cstdint>

#include "trm/ops/optimizer.hpp"

namespace trm::cuda {

/// An adam_step as the kernels use it: computed once on the host, as the CPU's passes compute it.
struct adam_factors {
  double beta1 = 0, beta2 = 0;  // of the moments
  double keep = 1;              // 1 - learning rate * weight decay
  double rate = 0;              // learning rate / (1 - beta1^t)
  double root = 1;              // 1 / sqrt(1 - beta2^t)
  double epsilon = 0;           // adamw alone
};

/// The factors of update s.t.
inline adam_factors factors_of(const adam_step& s) {
  const double t = static_cast<double>(s.t);
  return {s.beta1,
          s.beta2,
          1 - s.learning_rate * s.weight_decay,
          s.learning_rate / (1 - std::pow(s.beta1, t)),
          1 / std::sqrt(1 - std::pow(s.beta2, t)),
          s.epsilon};
}

/// The numbers of one step. The host copies it to the device before the step; the fields of the second part are written there.
struct step_state {
  std::uint64_t seed = 0, step = 0;  // of draws, as in draw_key: step counts updates from 1
  adam_factors adam;                 // of this update
  sign_step puzzle{0, 0};            // of this update of the puzzle rows
  double clip_norm = 0;              // the largest norm of the gradient that is not scaled down; 0: no limit

  double gradient_norm = 0;   // of the dense gradient, before clipping: written by context::gradient_norm
  double gradient_scale = 1;  // what the optimizer multiplies it by; likewise
  int finite = 1;             // is the norm finite? Otherwise optimizers leave everything as it is
};

}  // namespace trm::cuda
