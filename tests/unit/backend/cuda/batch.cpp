// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "support/cuda_cases/batch.hpp"
#include "support/emulated_gpu.hpp"

using namespace trm;
using namespace trm::cuda::testing;

TEST_CASE_TEMPLATE("embeddings, losses and halting on a device are those of the CPU", T, float, bf16) {
  cuda::emulated_gpu device({.order = 3});
  check_embedding<T>(device);
  check_losses<T, stablemax>(device);
  check_losses<T, softmax>(device);
}

TEST_CASE("samples that halted begin again") {
  cuda::emulated_gpu device;
  check_reset(device);
}
