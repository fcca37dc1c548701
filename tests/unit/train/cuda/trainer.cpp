// SPDX-License-Identifier: MIT
#include "trm/train/cuda/trainer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/allocations.hpp"
#include "support/emulated_gpu.hpp"
#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/io/checkpoint.hpp"
#include "unit/train/cuda/trainer_checks.hpp"

namespace {

using namespace trm_test;

/// Without the guard of its memory, which takes most of the time; the first case has it.
struct gpu : trm::cuda::emulated_gpu {
  explicit gpu(trm::cuda::emulation_options o = {.guarded = false}) : emulated_gpu(o) {}
};

}  // namespace

TEST_CASE("the same run on CPU and device: decisions exactly, numbers to rounding") {
  check_same_run_as_cpu<trm::cuda::emulated_gpu>(device_options());
  trm::training_options parts = device_options();
  parts.gradient_parts = 2, parts.micro_batch = 1, parts.ema_rate = 0, parts.undoable = false;
  check_same_run_as_cpu<gpu>(parts, true);
}

TEST_CASE("the same with AdamW, in micro-batches") {
  trm::training_options o = device_options();
  o.micro_batch = 2;
  check_same_run_as_cpu<gpu, device_model, trm::adamw>(o);
}

TEST_CASE("the average is evaluated where it is") { check_average_evaluated<gpu>(); }

TEST_CASE("with frozen weights the puzzle rows alone are trained") {
  trm::training_options o = device_options();
  o.freeze_weights = true;
  check_same_run_as_cpu<gpu>(o);
}

TEST_CASE("the same bits again, in whatever order blocks and threads run") {
  std::vector<std::vector<char>> runs;
  for (std::uint64_t order : {0u, 0u, 1u, 2u}) {
    gpu device({.order = order, .guarded = false});
    runs.push_back(device_run(device, device_options(), 4, waited));
  }
  for (const auto& r : runs) CHECK(r == runs[0]);
}

TEST_CASE("reports read a step late") { check_late_reports<gpu>(); }

TEST_CASE("half a step, and one that is taken back") { check_halves_and_undo<gpu>(); }

TEST_CASE("a step that is not finite") {
  check_not_finite<gpu>([](auto& t) { t.step(examples_of(3).view()); });
  check_not_finite<gpu>([](auto& t) {
    t.step_ahead(examples_of(3).view());
    t.step_ahead(examples_of(4).view());  // asked for before the report is there
  });
  check_not_finite<gpu>([](auto& t) {
    t.step_ahead(examples_of(3).view());
    t.finish();
  });
  trm::training_options one_by_one = device_options();
  one_by_one.micro_batch =
      1;  // the micro-batches before it have added their gradients and written their states by then
  check_not_finite<gpu>([](auto& t) { t.step(examples_of(3).view()); }, one_by_one);
}

TEST_CASE("what the host writes between steps") { check_host_writes<gpu>(); }

TEST_CASE("a checkpoint of one backend goes on with the other") {
  const temporary_folder folder;
  gpu device;
  trm::cuda::context<gpu> cuda(device);
  trm::cpu::context<> cpu(1);
  const trm::training_options o = device_options();
  device_trainer<gpu> on_device(cuda, o), again(cuda, o), from_cpu(cuda, o);
  reference_trainer on_cpu(cpu, o), from_device(cpu, o);
  begin_weights(on_device), begin_weights(on_cpu);
  for (int s = 0; s < 3; ++s) on_device.step(examples_of(s).view()), on_cpu.step(examples_of(s).view());
  trm::write_checkpoint(folder / "device", on_device);
  trm::write_checkpoint(folder / "cpu", on_cpu);
  const auto open = [&](const char* name) {
    return trm::checkpoint_folder::open(folder / name, trm::checkpoint_folder::verify::hashes);
  };
  trm::read_checkpoint(open("device"), again), trm::read_checkpoint(open("device"), from_device);
  trm::read_checkpoint(open("cpu"), from_cpu);
  CHECK(bytes_of_run(again).size() == bytes_of_run(on_device).size());
  const generated_batch b = examples_of(3);
  const auto loss = [&](auto& t) { return t.step(b.view()).metrics.loss(); };
  const double wanted = loss(on_device);
  CHECK(loss(again) == wanted);
  CHECK(bytes_of_run(again) == bytes_of_run(on_device));
  for (const double found : {loss(on_cpu), loss(from_cpu), loss(from_device)})
    CHECK(std::abs(found - wanted) <= rounding * wanted);
  const auto check_near = [&](const auto& t) {
    CHECK(t.step_number() == 4);
    CHECK(t.samples().halted == on_cpu.samples().halted);
    CHECK(t.samples().steps == on_cpu.samples().steps);
    CHECK(difference(parameters_of(t), parameters_of(on_cpu)) <= rounding);
    CHECK(difference(std::span(t.ema(), device_model::extent), std::span(on_cpu.ema(), device_model::extent)) <=
          rounding);
  };
  check_near(std::as_const(from_cpu)), check_near(std::as_const(from_device));
}

TEST_CASE("a step takes no memory, of the device or of the host, once it is captured") {
  gpu device;
  trm::cuda::context<gpu> cuda(device);
  trm::training_options o = device_options();
  o.gradient_parts = 2, o.micro_batch = 1;
  device_trainer<gpu> t(cuda, o);
  begin_weights(t);
  const generated_batch b = examples_of(0);
  CHECK(!t.captured());
  t.step(b.view());
  CHECK(!t.captured());
  t.step(b.view());
  CHECK(t.captured());
  const auto check_takes_nothing = [&](auto ask) {
    for (int s = 0; s < 4; ++s) {
      const int of_device = device.allocations;
      const long of_host = allocations;
      ask();
      const long taken = allocations - of_host;
      if (s < 2) continue;  // these two may be done by operation, and captured
      CHECK(device.allocations == of_device);
      CHECK(taken == 0);
    }
  };
  check_takes_nothing([&] { t.step(b.view()); });
  check_takes_nothing([&] { t.step_ahead(b.view()); });
  check_takes_nothing([&] { t.forward_backward(b.view()), t.update(); });
}

TEST_CASE("batches and names that do not fit") {
  gpu device;
  trm::cuda::context<gpu> cuda(device);
  device_trainer<gpu> t(cuda, device_options());
  begin_weights(t);
  const auto refused = [&](auto change, const char* words) {
    auto b = examples_of(0);
    change(b);
    check_error([&] { t.step(b.view()); }, words);
  };
  refused([](auto& b) { b.inputs.pop_back(); }, "batch: inputs: expected 20 numbers, found 19");
  refused([](auto& b) { b.identifiers[3] = device_identifiers; }, "batch: puzzle_identifiers[3]: 4 is not in [0, 4)");
  CHECK(t.step_number() == 0);
  check_error([&] { t.gradient("model.inner.nothing"); }, "model.inner.nothing: the model has no such parameter");
  check_error([&] { t.state("M"); }, "M: the schedule has no such state");
  trm::training_options o = device_options();
  o.batch = 0;
  check_error([&] { device_trainer<gpu>(cuda, o); }, "training option batch: must be at least 1, not 0");
}
