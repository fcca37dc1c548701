// SPDX-License-Identifier: MIT
#include "trm/train/cuda/solver.hpp"

#include <doctest/doctest.h>

#include "support/allocations.hpp"
#include "support/emulated_gpu.hpp"
#include "support/throws.hpp"
#include "unit/train/cuda/solver_checks.hpp"

namespace {

using namespace trm_test::solving;

struct gpu : trm::cuda::emulated_gpu {
  gpu() : emulated_gpu({.guarded = false}) {}
};

}  // namespace

TEST_CASE("the same answers as on the CPU, step by step, batch after batch") { check_answers<gpu>(); }

TEST_CASE("samples that leave, come, are disturbed, and whose states are set") { check_changes<gpu>(); }

TEST_CASE("early exit decides as on the CPU, and attempts are disturbed by the same draws") { check_early_exit<gpu>(); }

TEST_CASE("misuse, and no memory taken by a batch and its steps once there was one") {
  gpu device;
  trm::cuda::context<gpu> cuda(device);
  trm_test::check_error([&] { device_solver<gpu>(cuda, 0); }, "solver: the batch must be at least 1, not 0");
  device_solver<gpu> s(cuda, B);
  const auto table = filled_table();
  const auto good = trm_test::batch_for<model>(B, 1, identifiers);
  trm_test::check_error([&] { s.begin(good.view(), &table); }, "solver: has no weights: call use() first");
  trm::weights<model> w;
  w.initialise(2);
  s.use(w);
  trm_test::check_error([&] { s.step(); }, "solver: has nothing to work on: call begin() first");
  trm_test::check_error([&] { s.begin(good.view()); }, "solver: the model has puzzle rows: begin() needs their table");
  s.begin(good.view(), &table);
  s.step(), s.step();
  const int of_device = device.allocations;
  const long of_host = trm_test::allocations;
  s.begin(good.view(), &table);
  for (int i = 0; i < 3; ++i) s.step();
  const long taken = trm_test::allocations - of_host;
  CHECK(taken == 0);
  CHECK(device.allocations == of_device);
}
