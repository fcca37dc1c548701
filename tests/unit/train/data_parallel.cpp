// SPDX-License-Identifier: MIT
// Training by several processes is training by one.
#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "support/thread_ranks.hpp"
#include "support/throws.hpp"
#include "trm/train/any_communicator.hpp"
#include "unit/train/data_parallel_checks.hpp"

using namespace trm_test;
using ranks = thread_ranks;
using of_ranks = trm::trainer<parallel_model, trm::adam_atan2, trm::cpu::context<>, ranks::communicator>;

TEST_CASE("the batches of this test have what makes it hard: identifiers on several ranks, halting and going on") {
  const auto b = offered_at(0);
  const auto half = b.identifiers.begin() + parallel_batch / 2;
  const std::set<int> first(b.identifiers.begin(), half), second(half, b.identifiers.end());
  CHECK(std::ranges::any_of(first, [&](int id) { return second.contains(id); }));
  const parallel_run& run = train_alone(1);
  const auto halted = std::ranges::count(run.halted, 1);
  CHECK(halted > 200);
  CHECK(halted < 1000);
  CHECK(run.losses.back() < run.losses.front());
}

TEST_CASE(
    "N ranks leave the bits of one process with N parts: weights, average, rows, moments, carry, losses, halting") {
  for (const int n : {2, 3}) {
    CAPTURE(n);
    const parallel_run& alone = train_alone(n);
    ranks::run(n, [&](ranks::communicator& c) { check_same_as_alone(c, alone); });
  }
}

TEST_CASE(
    "against one process that sums the whole batch at once: losses within 1e-6 over 100 steps, halting identical") {
  const parallel_run& whole = train_alone(1);
  for (const int n : {2, 3}) {
    const parallel_run& parts = train_alone(n);
    CHECK(parts.halted == whole.halted);
    double worst = 0;
    for (std::size_t s = 0; s < whole.losses.size(); ++s) {
      worst = std::max(worst, std::abs(parts.losses[s] - whole.losses[s]) / parallel_batch);
    }
    MESSAGE(n, " parts: largest difference of the mean loss ", worst, " at losses of ",
            whole.losses.back() / parallel_batch);
    CHECK(worst < 1e-6);
  }
}

TEST_CASE("a process alone has the same bits with a communicator that is chosen at run time") {
  trm::any_communicator alone;
  check_same_as_alone(alone, train_alone(1));
}

TEST_CASE("each process resumes its part of what the first has saved of all") {
  std::vector<std::vector<double>> saved;
  ranks::run(2, [&](ranks::communicator& c) {
    trm::cpu::context<> device(1);
    of_ranks t(device, parallel_options(2), c), resumed(device, parallel_options(2), c);
    train_parallel(t, c.rank(), 3);
    t.gather_samples();
    if (c.rank() == 0) {
      std::as_const(t).each_state(
          [](const auto&, const float*) {},
          [&](const auto&, const auto&, const auto v) { saved.emplace_back(v.begin(), v.end()); });
    }
    CHECK(!trm::collectives(c).any(false));  // it is saved now
    std::size_t next = 0;
    resumed.each_state([](const auto&, float*) {},
                       [&](const auto&, const auto&, auto v) {
                         std::ranges::transform(saved[next++], v.begin(), [](double x) {
                           return static_cast<std::remove_reference_t<decltype(v[0])>>(x);
                         });
                       });
    CHECK(next == saved.size());
    CHECK(resumed.samples().inputs == t.samples().inputs);
    CHECK(resumed.samples().steps == t.samples().steps);
    CHECK(std::ranges::equal(std::as_const(resumed).state("H"), std::as_const(t).state("H")));
  });
}

TEST_CASE("ranks that were given different options say so, all of them") {
  ranks::run(2, [](ranks::communicator& c) {
    trm::cpu::context<> device(1);
    trm::training_options o = parallel_options(1);
    o.puzzle_identifiers = c.rank() == 0 ? 4 : 5;
    check_error([&] { of_ranks(device, o, c); },
                "puzzle rows: 4 on rank 0, 5 on rank 1: all processes must have the same");
    o = parallel_options(1);
    o.seed = static_cast<std::uint64_t>(c.rank());
    check_error([&] { of_ranks(device, o, c); }, "training options: ");
  });
}

TEST_CASE("batches and parts that do not fit are refused") {
  trm::cpu::context<> device(1);
  const auto refused = [&](auto change) {
    trm::training_options o = parallel_options(1);
    change(o);
    return error_of([&] { trm::trainer<parallel_model>(device, o); });
  };
  CHECK(refused([](auto& o) { o.gradient_parts = 5; }) ==
        "training option gradient_parts: 5 does not divide the batch of 12");
  CHECK(refused([](auto& o) { o.gradient_parts = 3, o.micro_batch = 6; }) ==
        "training option micro_batch: 6 does not divide the batch of 4, a part of 12");
  ranks::run(5, [&](ranks::communicator& c) {
    trm::cpu::context<> own(1);
    check_error([&] { of_ranks(own, parallel_options(1), c); },
                "training option batch: 12 is no multiple of the number of processes, 5");
  });
  ranks::run(2, [&](ranks::communicator& c) {
    trm::cpu::context<> own(1);
    check_error([&] { of_ranks(own, parallel_options(3), c); },
                "training option gradient_parts: is 3, so start as many processes, or one; not 2");
  });
}
