// SPDX-License-Identifier: MIT
#include "trm/train/solver.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "support/allocations.hpp"
#include "support/throws.hpp"
#include "unit/train/generated_batch.hpp"

namespace {

constexpr trm::config described{.tokens = 6,
                                .vocab = 7,
                                .hidden = 16,
                                .heads = 2,
                                .h_cycles = 2,
                                .l_cycles = 1,
                                .puzzle_positions = 1,
                                .puzzle_width = 16,
                                .halting = trm::halting_kind::q_continue};
using model = trm::model<described>;
using solver = trm::solver<model>;
constexpr int B = 3, identifiers = 4;

trm::weights<model> initialised(std::uint64_t seed) {
  trm::weights<model> w;
  w.initialise(seed);
  return w;
}
trm::puzzle_table<float> filled_table() {
  trm::puzzle_table<float> table(identifiers, model::W, B);
  for (std::size_t i = 0; i < table.rows() * table.width(); ++i) table.data()[i] = static_cast<float>(i % 5) - 2;
  return table;
}
std::vector<float> logits(const solver& s) { return {s.logits().begin(), s.logits().end()}; }

}  // namespace

TEST_CASE("misuse") {
  trm::cpu::context<> device(1);
  trm_test::check_error([&] { solver s(device, 0); }, "solver: the batch must be at least 1, not 0");
  trm_test::check_error([&] { solver s(device, -1); }, "solver: the batch must be at least 1, not -1");
  solver s(device, B);
  const auto w = initialised(1);
  const auto table = filled_table();
  const auto good = trm_test::batch_for<model>(B, 1, identifiers);
  trm_test::check_error([&] { s.begin(good.view(), &table); }, "solver: has no weights: call use() first");
  s.use(w);
  trm_test::check_error([&] { s.begin(good.view()); }, "solver: the model has puzzle rows: begin() needs their table");
  const trm::puzzle_table<float> none;
  trm_test::check_error([&] { s.begin(good.view(), &none); },
                        "solver: the model has puzzle rows: begin() needs their table");
  const auto refused = [&](auto change, const char* words) {
    auto b = good;
    change(b);
    trm_test::check_error([&] { s.begin(b.view(), &table); }, words);
  };
  refused([](auto& b) { b.inputs.pop_back(); }, "batch: inputs: expected 18 numbers, found 17");
  refused([](auto& b) { b.inputs[17] = 7; }, "batch: inputs[17]: 7 is not in [0, 7)");
  refused([](auto& b) { b.labels.pop_back(); }, "batch: labels: expected 18 numbers, found 17");
  refused([](auto& b) { b.identifiers[1] = identifiers; }, "batch: puzzle_identifiers[1]: 4 is not in [0, 4)");
  refused([](auto& b) { b.lengths = {7, 6, 6}; }, "batch: lengths[0]: 7 is not in [1, 7)");
  trm_test::check_error([&] { s.state("X"); }, "X: the schedule has no such state");
}

TEST_CASE("a step before begin") {
  trm::cpu::context<> device(1);
  solver s(device, B);
  const auto w = initialised(1);
  trm_test::check_error([&] { s.step(); }, "solver: has nothing to work on: call begin() first");
  s.use(w);
  trm_test::check_error([&] { s.step(); }, "solver: has nothing to work on: call begin() first");
}

TEST_CASE("a table of another width") {
  trm::cpu::context<> device(1);
  solver s(device, B);
  const auto w = initialised(1);
  s.use(w);
  const trm::puzzle_table<float> narrow(identifiers, model::W - 1, B);
  trm_test::check_error([&] { s.begin(trm_test::batch_for<model>(B, 1, identifiers).view(), &narrow); },
                        "puzzle table: its rows have 15 numbers, the model's 16");
}

TEST_CASE("begin starts over, whatever was computed before") {
  trm::cpu::context<> device(2);
  solver s(device, B), fresh(device, B);
  const auto w = initialised(1);
  const auto table = filled_table();
  s.use(w), fresh.use(w);
  const auto first = trm_test::batch_for<model>(B, 1, identifiers),
             second = trm_test::batch_for<model>(B, 2, identifiers);
  s.begin(first.view(), &table);
  for (int i = 0; i < 3; ++i) s.step();
  s.begin(second.view(), &table);
  fresh.begin(second.view(), &table);
  for (int i = 1; i <= 2; ++i) {
    s.step(), fresh.step();
    CHECK(logits(s) == logits(fresh));
    CHECK(s.samples().steps == std::vector<int>(B, i));
  }
}

TEST_CASE("weights that changed count after use()") {
  trm::cpu::context<> device(1);
  solver s(device, B);
  auto w = initialised(1);
  const auto other = initialised(2);
  const auto table = filled_table();
  const auto b = trm_test::batch_for<model>(B, 1, identifiers);
  const auto run = [&] {
    s.begin(b.view(), &table);
    s.step();
    return logits(s);
  };
  s.use(w);
  const auto one = run();
  s.use(other);
  const auto two = run();
  CHECK(one != two);
  s.use(w.parameters(), w.constants());
  CHECK(run() == one);
  w["model.inner.lm_head.weight"][0] += 1;
  s.use(w);
  CHECK(run() != one);
}

TEST_CASE("a sample's answer does not depend on its neighbours") {
  trm::cpu::context<> device(1);
  solver s(device, B), alone(device, 1);
  const auto w = initialised(1);
  const auto table = filled_table();
  s.use(w), alone.use(w);
  const auto b = trm_test::batch_for<model>(B, 1, identifiers);
  s.begin(b.view(), &table);
  s.step(), s.step();
  for (std::size_t i = 0; i < B; ++i) {
    const auto at = i * model::S, n = static_cast<std::size_t>(model::S);
    alone.begin({std::span(b.inputs).subspan(at, n), std::span(b.labels).subspan(at, n),
                 std::span(b.identifiers).subspan(i, 1)},
                &table);
    alone.step(), alone.step();
    const auto wanted = s.logits().subspan(at * model::V, n * model::V);
    CHECK(std::equal(wanted.begin(), wanted.end(), alone.logits().begin()));
    CHECK(alone.samples().halting[0].q_halt == s.samples().halting[i].q_halt);
  }
}

TEST_CASE("without labels there are answers but nothing is counted") {
  trm::cpu::context<> device(1);
  solver s(device, B);
  const auto w = initialised(1);
  const auto table = filled_table();
  s.use(w);
  auto b = trm_test::batch_for<model>(B, 1, identifiers);
  s.begin(b.view(), &table);
  s.step();
  const auto with = s.samples().predictions;
  CHECK(s.metrics().count == B);
  CHECK(s.metrics(2).count == 2);
  CHECK(s.metrics(99).count == B);
  b.labels.clear();
  s.begin(b.view(), &table);
  s.step();
  CHECK(s.samples().predictions == with);
  CHECK(s.metrics().count == 0);
  CHECK(s.metrics().lm_loss == 0);
}

TEST_CASE("a step and a new batch take no memory") {
  for (int threads : {1, 2}) {
    trm::cpu::context<> device(threads);
    solver s(device, B);
    const auto w = initialised(1);
    const auto table = filled_table();
    s.use(w);
    const auto b = trm_test::batch_for<model>(B, 1, identifiers);
    const trm::batch view = b.view();
    const long before = trm_test::allocations;
    for (int i = 0; i < 2; ++i) {
      s.begin(view, &table);
      s.step(), s.step();
    }
    const long after = trm_test::allocations;
    CHECK(after - before == 0);
  }
}

TEST_CASE("the plan says what the constructor takes") {
  using prepared = trm::cpu::context<>::prepared<float, model::params>;
  trm::cpu::context<> device(1);
  const solver reserves(device, B);
  const std::size_t before = trm_test::aligned_bytes;
  const solver s(device, B);
  const std::size_t taken = trm_test::aligned_bytes - before;
  const trm::memory_plan plan = trm::inference_plan<model>(B);
  const std::size_t rows = B * model::W * sizeof(float);
  CHECK(taken == plan.carry + plan.outputs + plan.activations + prepared::bytes(trm::mode::inference) + rows);
}
