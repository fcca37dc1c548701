// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "support/cuda_cases/products.hpp"
#include "support/emulated_gpu.hpp"

using namespace trm;
using namespace trm::cuda::testing;

TEST_CASE_TEMPLATE("products of a device and their gradients are those of the CPU", T, float, bf16) {
  cuda::emulated_gpu device({.order = 3});
  check_products<T>(device);
  check_flipped_products<T>(device);
}
