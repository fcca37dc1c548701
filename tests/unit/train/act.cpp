// SPDX-License-Identifier: MIT
// Adaptive computation time through a trainer: which samples halt, which take new data, from which state they go on.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "trm/train/solver.hpp"
#include "trm/train/trainer.hpp"
#include "unit/train/generated_batch.hpp"

namespace {

constexpr trm::config described{.tokens = 6,
                                .vocab = 7,
                                .hidden = 16,
                                .heads = 2,
                                .h_cycles = 2,
                                .l_cycles = 1,
                                .puzzle_positions = 1,
                                .puzzle_width = 16};
using model = trm::model<described>;
constexpr int B = 8, S = model::S, V = model::V, identifiers = 5;

/// A Q head that says something else of every sample and step.
void initialise(trm::trainer<model>& t) {
  t.weights().initialise(2);
  auto q = t.weights()["model.inner.q_head.weight"];
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = static_cast<float>(trm::philox{8}.at(trm::purpose::user).normal(i));
  auto bias = t.weights()["model.inner.q_head.bias"];
  std::fill(bias.begin(), bias.end(), 0.0f);
  t.weights_changed();
}

/// The logits of the solver after `steps` steps on a batch.
std::vector<float> solve(trm::solver<model>& s, const trm_test::generated_batch& b,
                         const trm::puzzle_table<float>& table, int steps) {
  s.begin(b.view(), &table);
  for (int i = 0; i < steps; ++i) s.step();
  return {s.logits().begin(), s.logits().end()};
}

}  // namespace

TEST_CASE("samples that halted begin anew with the data offered to them, the others go on with theirs") {
  trm::cpu::context<> device(1);
  trm::training_options o{.batch = B, .max_steps = 4, .exploration = 0.4, .puzzle_identifiers = identifiers, .seed = 6};
  o.micro_batch = 4;
  trm::trainer<model> t(device, o);
  initialise(t);
  for (std::size_t i = 0; i < t.table().rows() * t.table().width(); ++i)
    t.table().data()[i] = static_cast<float>(i % 5) - 2;
  trm::solver<model> solver(device, B);
  solver.use(t.weights());

  std::vector<trm_test::generated_batch> offered;
  std::vector<std::size_t> taken_from(B, 0);  // for each sample the step at which its data was offered
  std::vector<int> steps(B, 0);
  std::vector<unsigned char> halted(B, 1);
  std::map<int, int> halted_after;
  for (std::size_t step = 0; step < 12; ++step) {
    offered.push_back(trm_test::batch_for<model>(B, 40 + step, identifiers));
    t.forward_backward(offered.back().view());
    for (std::size_t i = 0; i < B; ++i) {
      if (halted[i] != 0) taken_from[i] = step, steps[i] = 0;
      ++steps[i];
    }
    CHECK(t.samples().reset == halted);
    CHECK(t.samples().steps == steps);
    for (std::size_t i = 0; i < B; ++i) {
      INFO("step ", step, ", sample ", i);
      const auto& b = offered[taken_from[i]];
      const auto first = static_cast<std::ptrdiff_t>(i) * S;
      CHECK(std::equal(b.inputs.begin() + first, b.inputs.begin() + first + S, t.samples().inputs.begin() + first));
      CHECK(std::equal(b.labels.begin() + first, b.labels.begin() + first + S, t.samples().labels.begin() + first));
      CHECK(t.samples().puzzle_identifiers[i] == b.identifiers[i]);
      const auto want =
          solve(solver, b, t.table(), steps[i]);  // from the initial states, undisturbed by its neighbours
      CHECK(std::equal(want.begin() + first * V, want.begin() + (first + S) * V, t.logits().begin() + first * V));
      const bool may = steps[i] >= o.max_steps || t.samples().halting[i].q_halt > 0;
      if (t.samples().halted[i] != 0) {
        CHECK(may);
        ++halted_after[steps[i]];
      }
    }
    halted = t.samples().halted;
    const trm::step_report report = t.update(0, 0);  // the weights stay
    CHECK(report.metrics.count == std::count(halted.begin(), halted.end(), 1));
  }
  CHECK(halted_after.size() == 4);  // every number of steps was seen
}

TEST_CASE("one step at most: every step is new data") {
  trm::cpu::context<> device(1);
  trm::trainer<model> t(device, {.batch = B, .max_steps = 1, .exploration = 1, .puzzle_identifiers = identifiers});
  initialise(t);
  for (std::uint64_t step = 0; step < 3; ++step) {
    const auto b = trm_test::batch_for<model>(B, step, identifiers);
    CHECK(t.step(b.view()).metrics.count == B);
    CHECK(t.samples().inputs == b.inputs);
    CHECK(t.samples().steps == std::vector<int>(B, 1));
  }
}

TEST_CASE("rules of the configurations") {
  constexpr auto rule = [](trm::architecture a, trm::halting_kind h) {
    trm::config c = described;
    c.architecture = a, c.halting = h;
    return c;
  };
  using plain = trm::model<rule(trm::architecture::trm, trm::halting_kind::q_halt)>;
  using go_on = trm::model<rule(trm::architecture::trm, trm::halting_kind::q_continue)>;
  using fixed = trm::model<rule(trm::architecture::trm, trm::halting_kind::fixed)>;
  using hrm = trm::model<rule(trm::architecture::hrm, trm::halting_kind::q_halt)>;
  using transformer = trm::model<rule(trm::architecture::transformer, trm::halting_kind::q_halt)>;
  CHECK(plain::rule(7, 0.25).max_steps == 7);
  CHECK(plain::rule(7, 0.25).exploration == 0.25);
  CHECK((plain::rule(7, 0).adaptive && !plain::rule(7, 0).against_continue && !plain::trains_continue));
  CHECK((go_on::rule(7, 0).adaptive && go_on::rule(7, 0).against_continue && go_on::trains_continue));
  CHECK((!fixed::rule(7, 0).adaptive && !fixed::trains_continue));
  CHECK((hrm::rule(7, 0).against_continue && hrm::trains_continue));  // whatever is configured, as published
  CHECK((transformer::rule(7, 0).against_continue && !transformer::trains_continue));  // compares without training
}
