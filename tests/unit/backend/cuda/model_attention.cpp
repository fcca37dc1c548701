// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "support/cuda_cases/model.hpp"
#include "support/emulated_gpu.hpp"

using namespace trm;
using namespace trm::cuda::testing;

TEST_CASE("a step of a model with attention is that of the CPU, in whatever order blocks and threads run") {
  cuda::emulated_gpu device({.order = 7});
  check_model<small_attention>(device);
  check_model<small_attention>(device, true);
}
