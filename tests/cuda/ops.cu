// SPDX-License-Identifier: MIT
// The cases of tests/unit/backend/cuda on a GPU; skipped where there is none.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "support/cuda_cases/attention.hpp"
#include "support/cuda_cases/batch.hpp"
#include "support/cuda_cases/optimizer.hpp"
#include "support/cuda_cases/products.hpp"
#include "support/cuda_cases/sinks.hpp"
#include "trm/backend/cuda/gpu.cuh"

using namespace trm;
using namespace trm::cuda::testing;

TEST_CASE_TEMPLATE("sinks", T, float, bf16) {
  cuda::gpu device;
  check_sinks<T>(device);
  check_recursion_sinks<T>(device);
  check_flipped_sinks<T>(device);
}

TEST_CASE_TEMPLATE("products", T, float, bf16) {
  cuda::gpu device;
  check_products<T>(device);
  check_flipped_products<T>(device);
}

TEST_CASE_TEMPLATE("attention", T, float, bf16) {
  cuda::gpu device;
  check_attention<T>(device);
}

TEST_CASE("keys that are not seen") {
  cuda::gpu device;
  check_unseen_keys(device);
}

TEST_CASE_TEMPLATE("embeddings, losses, halting", T, float, bf16) {
  cuda::gpu device;
  check_embedding<T>(device);
  check_losses<T, stablemax>(device);
  check_losses<T, softmax>(device);
  check_reset(device);
}

TEST_CASE("flat buffers, puzzle rows, captured steps") {
  cuda::gpu device;
  check_optimizer(device);
  check_puzzle_rows(device);
  check_captured_step(device);
}

/// Without a GPU the one thing that can be tested is what is said of that.
int without_device() {
  try {
    cuda::gpu device;
  } catch (const error& e) {
    std::printf("%s\n", e.what());
    const std::string text(e.what());
    if (text.rfind("cudaGetDeviceCount: ", 0) == 0 && text.find('\n') == std::string::npos) {
      std::puts("SKIPPED: no CUDA device");
      return 0;
    }
  }
  return 1;
}

int main(int argc, char** argv) {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) return without_device();
  return doctest::Context(argc, argv).run();
}
