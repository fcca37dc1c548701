// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "support/cuda_cases/sinks.hpp"
#include "support/emulated_gpu.hpp"

using namespace trm;
using namespace trm::cuda::testing;

TEST_CASE_TEMPLATE("the sinks of a device are those of the CPU", T, float, bf16) {
  cuda::emulated_gpu device({.order = 3});
  check_sinks<T>(device);
  check_recursion_sinks<T>(device);
  check_flipped_sinks<T>(device);
}
