// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "support/cuda_cases/optimizer.hpp"
#include "support/emulated_gpu.hpp"

using namespace trm;
using namespace trm::cuda::testing;

TEST_CASE("passes over flat buffers are those of the CPU") {
  cuda::emulated_gpu device({.order = 3});
  check_optimizer(device);
}

TEST_CASE("a captured step reads its numbers from the device") {
  cuda::emulated_gpu device;
  check_captured_step(device);
}

TEST_CASE("puzzle rows are gathered and trained as on the CPU") {
  cuda::emulated_gpu device({.order = 3});
  check_puzzle_rows(device);
}
