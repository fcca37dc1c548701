// SPDX-License-Identifier: MIT
// Training and solving on a GPU: the cases of tests/unit/train/cuda; skipped where there is no GPU.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <vector>

#include "trm/backend/cuda/gpu.cuh"
#include "unit/train/cuda/solver_checks.hpp"
#include "unit/train/cuda/trainer_checks.hpp"

namespace {

using trm::cuda::gpu;
using namespace trm_test;

/// As lambdas, these would be part of the names of what nvcc compiles.
struct whole_step {
  template <class Trainer>
  void operator()(Trainer& t) const {
    t.step(examples_of(3).view());
  }
};
struct two_steps_ahead {
  template <class Trainer>
  void operator()(Trainer& t) const {
    t.step_ahead(examples_of(3).view());
    t.step_ahead(examples_of(4).view());
  }
};

}  // namespace

TEST_CASE("the same run on CPU and GPU: decisions exactly, numbers to rounding") {
  check_same_run_as_cpu<gpu>(device_options());
  trm::training_options parts = device_options();
  parts.gradient_parts = 2, parts.micro_batch = 1, parts.ema_rate = 0, parts.undoable = false;
  check_same_run_as_cpu<gpu>(parts, true);
}

TEST_CASE("the average is evaluated where it is") { check_average_evaluated<gpu>(); }

TEST_CASE("with frozen weights the puzzle rows alone are trained") {
  trm::training_options o = device_options();
  o.freeze_weights = true;
  check_same_run_as_cpu<gpu>(o);
}

TEST_CASE("the same bits again") {
  gpu device;
  const std::vector<char> once = device_run(device, device_options(), 6, waited);
  CHECK(device_run(device, device_options(), 6, waited) == once);
}

TEST_CASE("reports read a step late") { check_late_reports<gpu>(); }
TEST_CASE("half a step, and one that is taken back") { check_halves_and_undo<gpu>(); }
TEST_CASE("a step that is not finite") {
  check_not_finite<gpu>(whole_step{});
  check_not_finite<gpu>(two_steps_ahead{});
  trm::training_options one_by_one = device_options();
  one_by_one.micro_batch = 1;
  check_not_finite<gpu>(whole_step{}, one_by_one);
}
TEST_CASE("what the host writes between steps") { check_host_writes<gpu>(); }

TEST_CASE("a solver beside the CPU's") {
  solving::check_answers<gpu>();
  solving::check_changes<gpu>();
  solving::check_early_exit<gpu>();
}

int main(int argc, char** argv) {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) {
    std::puts("SKIPPED: no CUDA device");
    return 0;
  }
  return doctest::Context(argc, argv).run();
}
