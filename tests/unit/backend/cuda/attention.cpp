// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "support/cuda_cases/attention.hpp"
#include "support/emulated_gpu.hpp"

using namespace trm;
using namespace trm::cuda::testing;

TEST_CASE_TEMPLATE("attention on a device is that of the CPU", T, float, bf16) {
  cuda::emulated_gpu device({.order = 3});
  check_attention<T>(device);
}

TEST_CASE("what a row does not see changes no bit of it") {
  cuda::emulated_gpu device;
  check_unseen_keys(device);
}
