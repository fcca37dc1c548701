// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"
#include "support/emulated_gpu.hpp"
#include "trm/train/cuda/solver.hpp"
#include "trm/train/cuda/trainer.hpp"

namespace {

constexpr trm::config c{
    .tokens = 16, .vocab = 7, .hidden = 64, .heads = 4, .l_cycles = 2, .puzzle_positions = 2, .puzzle_width = 64};

TEST_CASE("trm_attention on the emulated device: two steps, the second captured, and the evaluation") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_attention.safetensors")) return;
  trm::cuda::emulated_gpu gpu({.guarded = false});
  trm::cuda::context<trm::cuda::emulated_gpu> cuda(gpu);
  trm_test::check_recorded_on<trm::model<c>>(cuda, "trm_attention", *trm_test::reference_dir() / "model", 2);
}

}  // namespace
