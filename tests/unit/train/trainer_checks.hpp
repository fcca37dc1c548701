// SPDX-License-Identifier: MIT
// Facts that hold for a trainer of any model: runs repeat bit for bit, micro-batches change nothing but rounding,
// a step takes no memory, and the plan says what the constructor takes.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "support/allocations.hpp"
#include "trm/train/trainer.hpp"
#include "unit/train/generated_batch.hpp"

namespace trm_test {

constexpr int samples_of_a_batch = 6, puzzles = 5;

template <class Model>
trm::training_options thorough_options() {
  trm::training_options o{.batch = samples_of_a_batch, .max_steps = 3, .exploration = 0.5};
  o.optimizer.learning_rate = 1e-3;
  o.schedule = {.warmup = 2, .total = 20, .min_ratio = 0.1};
  o.ema_rate = 0.9;
  o.clip_norm = 0.05;
  o.puzzle_identifiers = Model::W > 0 ? puzzles : 0;
  o.seed = 3;
  return o;
}

/// Weights whose Q head says halt, so that it is the exploration that decides.
template <class Model>
void initialise(trm::trainer<Model>& t) {
  t.weights().initialise(1);
  t.weights()["model.inner.q_head.bias"][0] = 1;
  t.weights_changed();
}

/// The bytes of everything that training changed.
struct trained_state {
  std::vector<char> parameters, ema, table, carry, logits;
  friend bool operator==(const trained_state&, const trained_state&) = default;
};

template <class T>
std::vector<char> bytes_of(const T* data, std::size_t n) {
  std::vector<char> b(n * sizeof(T));
  if (n > 0) std::memcpy(b.data(), data, b.size());
  return b;
}

template <class Model>
trained_state train(const trm::training_options& o, int threads, int steps) {
  trm::cpu::context<> device(threads);
  trm::trainer<Model> t(device, o);
  initialise(t);
  for (int s = 0; s < steps; ++s)
    t.step(batch_for<Model>(o.batch, 100 + static_cast<std::uint64_t>(s), puzzles).view());
  trained_state r{bytes_of(t.weights().parameters(), Model::extent),
                  bytes_of(t.ema(), Model::extent),
                  bytes_of(t.table().data(), t.table().rows() * t.table().width()),
                  {},
                  bytes_of(t.logits().data(), t.logits().size())};
  for (const char* name : Model::schedule::states) {
    const auto z = bytes_of(t.state(name).data(), t.state(name).size());
    r.carry.insert(r.carry.end(), z.begin(), z.end());
  }
  return r;
}

/// The same run twice, and with other numbers of threads; another seed's exploration is a different run.
template <class Model>
void check_deterministic() {
  const trm::training_options o = thorough_options<Model>();
  const trained_state one = train<Model>(o, 1, 5);
  CHECK(one == train<Model>(o, 1, 5));
  CHECK(one == train<Model>(o, 2, 5));
  CHECK(one == train<Model>(o, 3, 5));
  CHECK(one.parameters != train<Model>(o, 1, 4).parameters);
}

/// Half the batch at a time: same halting and metrics, the same gradients but for the order of sums.
template <class Model>
void check_micro_batches(double tolerance) {
  trm::cpu::context<> device(2);
  trm::training_options o = thorough_options<Model>(), halves = o, singles = o;
  halves.micro_batch = o.batch / 2;
  singles.micro_batch = 1;
  trm::trainer<Model> whole(device, o), in_halves(device, halves), one_by_one(device, singles);
  for (trm::trainer<Model>* t : {&whole, &in_halves, &one_by_one}) initialise(*t);
  int halted = 0, went_on = 0;
  for (std::uint64_t s = 0; s < 4; ++s) {
    const generated_batch b = batch_for<Model>(o.batch, s, puzzles);
    whole.forward_backward(b.view());
    for (trm::trainer<Model>* t : {&in_halves, &one_by_one}) {
      t->forward_backward(b.view());
      CHECK(t->samples().halted == whole.samples().halted);
      CHECK(t->samples().steps == whole.samples().steps);
      CHECK(t->samples().predictions == whole.samples().predictions);
      CHECK(bytes_of(t->logits().data(), t->logits().size()) == bytes_of(whole.logits().data(), whole.logits().size()));
      CHECK(bytes_of(t->puzzle_gradient().data(), t->puzzle_gradient().size()) ==
            bytes_of(whole.puzzle_gradient().data(), whole.puzzle_gradient().size()));
      for (const auto& e : Model::table) {
        const auto a = whole.gradient(e.name()), g = t->gradient(e.name());
        double difference = 0, size = 0;
        for (std::size_t i = 0; i < a.size(); ++i) difference += std::pow(a[i] - g[i], 2), size += std::pow(a[i], 2);
        INFO(e.name(), ": relative difference ", std::sqrt(difference / size));
        CHECK(size > 0);
        CHECK(difference <= tolerance * tolerance * size);
      }
    }
    for (unsigned char h : whole.samples().halted) ++(h != 0 ? halted : went_on);
    // the weights stay, so that the next step compares the same model; the number of the step is that of the draws
    for (trm::trainer<Model>* t : {&whole, &in_halves, &one_by_one}) t->update(0, 0);
  }
  CHECK(halted > 0);
  CHECK(went_on > 0);
}

/// No allocation in a step, from the first one on.
template <class Model>
void check_no_allocation(int threads) {
  trm::cpu::context<> device(threads);
  trm::training_options o = thorough_options<Model>();
  o.micro_batch = o.batch / 2;
  trm::trainer<Model> t(device, o);
  initialise(t);
  const generated_batch b = batch_for<Model>(o.batch, 1, puzzles);
  for (int s = 0; s < 4; ++s) {
    const long before = allocations;
    const trm::step_report report = t.step(b.view());
    const long after = allocations;
    CHECK(after - before == 0);
    CHECK(report.gradient_norm > o.clip_norm);  // it was clipped
  }
}

/// What the constructor takes is what the plan says, the backend's prepared weights, and the puzzle rows of a batch.
template <class Model>
void check_plan_bytes() {
  using prepared = typename trm::cpu::context<>::template prepared<typename Model::compute, Model::template params>;
  trm::cpu::context<> device(1);
  const trm::training_options whole = thorough_options<Model>();
  trm::training_options halves = whole;
  halves.micro_batch = whole.batch / 2;
  const trm::trainer<Model> reserves(device, whole);  // the backend has its scratch memory from now on
  for (const auto& o : {whole, halves}) {
    const std::size_t before = aligned_bytes;
    const trm::trainer<Model> t(device, o);
    const std::size_t taken = aligned_bytes - before;
    const std::size_t rows = 2 * static_cast<std::size_t>(o.batch) * Model::W * sizeof(typename Model::master);
    CHECK(taken == trm::plan<Model>(o.batch, o.micro_batch).total() + prepared::bytes(trm::mode::training) + rows);
  }
}

}  // namespace trm_test
