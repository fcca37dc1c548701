// SPDX-License-Identifier: MIT
// The paper's token mixer in bf16, trained by AdamW: a run on the emulated device beside the CPU's.
#include <doctest/doctest.h>

#include "support/emulated_gpu.hpp"
#include "unit/train/cuda/trainer_checks.hpp"

namespace {

using namespace trm_test;

struct gpu : trm::cuda::emulated_gpu {
  gpu() : emulated_gpu({.guarded = false}) {}
};

constexpr trm::config mixer{.tokens = 5,
                            .vocab = 7,
                            .hidden = 16,
                            .layers = 1,
                            .h_cycles = 2,
                            .l_cycles = 1,
                            .expansion = 1,
                            .width_multiple = 8,
                            .puzzle_positions = 1,
                            .puzzle_width = 12,
                            .mixing = trm::mixing_kind::tokens,
                            .positions = trm::position_kind::none};

/// The sums of this small model differ by some 2^-22 of a value, those of another order, and are then rounded to bf16, whose neighbours are
/// 2^-8 apart: one in some 2^14 falls out the other way, so none or a few of a run's thousands. At most four on the way to a number.
constexpr double bf16_rounding = 4 * 0x1p-8;

}  // namespace

TEST_CASE("the same run in bf16, with the token mixer and AdamW: decisions exactly, numbers to rounding") {
  trm::training_options o = device_options();
  o.optimizer = {.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.95, .weight_decay = 0.1, .epsilon = 1e-3};
  o.micro_batch = 2;
  check_same_run_as_cpu<gpu, trm::model<mixer, trm::bf16>, trm::adamw>(
      o, false, {.numbers = bf16_rounding, .moved = bf16_rounding, .rows = 10});
}
