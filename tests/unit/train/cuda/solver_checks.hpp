// SPDX-License-Identifier: MIT
// What must hold of a solver on any device of the CUDA backend: on the emulated one, and on a GPU.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "support/throws.hpp"
#include "trm/train/cuda/solver.hpp"
#include "trm/train/early_exit.hpp"
#include "unit/train/cuda/reference_machine.hpp"
#include "unit/train/generated_batch.hpp"

namespace trm_test::solving {

constexpr trm::config described{.tokens = 5,
                                .vocab = 7,
                                .hidden = 16,
                                .heads = 2,
                                .layers = 1,
                                .h_cycles = 1,
                                .l_cycles = 1,
                                .expansion = 1,
                                .width_multiple = 8,
                                .puzzle_positions = 1,
                                .puzzle_width = 16};
using model = trm::model<described>;
constexpr int B = 3, identifiers = 4;

using reference_solver = trm::solver<model, reference_machine::context_type>;
template <class Device>
using device_solver = trm::solver<model, trm::cuda::context<Device>>;

/// Float32 rounds by 2^-24 of a value; a value is some forty sums away from the input.
constexpr double rounding = 2 * 40 * 0x1p-24 * 2;

inline trm::puzzle_table<float> filled_table() {
  trm::puzzle_table<float> table(identifiers, model::W, B);
  for (std::size_t i = 0; i < table.rows() * table.width(); ++i) table.data()[i] = static_cast<float>(i % 5) - 2;
  return table;
}
inline double difference(std::span<const float> a, std::span<const float> b) {
  double worst = 0, size = 1e-30;
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    worst = std::max(worst, std::isfinite(x) ? std::abs(x - y) : 1e30), size = std::max(size, std::abs(y));
  }
  return worst / size;
}
/// What is decided is equal, numbers are to rounding, of the samples that are worked on.
template <class Solver>
void check_same(const reference_solver& a, const Solver& b) {
  REQUIRE(a.active() == b.active());
  const trm::samples &x = a.samples(), &y = b.samples();
  const auto n = static_cast<std::size_t>(a.active()), s = static_cast<std::size_t>(model::S);
  const auto first = [](const auto& v, std::size_t k) {
    return std::vector(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(k));
  };
  CHECK(first(x.predictions, n * s) == first(y.predictions, n * s));
  CHECK(first(x.steps, n) == first(y.steps, n));
  CHECK(first(x.inputs, n * s) == first(y.inputs, n * s));
  CHECK(difference(b.logits().first(n * s * model::V), a.logits().first(n * s * model::V)) <= rounding);
  const std::size_t state = n * model::L * model::D;
  for (const char* name : {"H", "L"})
    CHECK(difference(b.state(name).first(state), a.state(name).first(state)) <= rounding);
  for (std::size_t i = 0; i < n; ++i) {
    CHECK(x.token_results[i].correct == y.token_results[i].correct);
    CHECK(x.token_results[i].supervised == y.token_results[i].supervised);
    CHECK(std::abs(x.token_results[i].loss - y.token_results[i].loss) <= rounding * (1 + x.token_results[i].loss));
    CHECK(std::abs(x.halting[i].q_halt - y.halting[i].q_halt) <= rounding * 10);
  }
  CHECK(a.metrics().count == b.metrics().count);
  CHECK(a.metrics().steps == b.metrics().steps);
}

/// Random examples, one for each puzzle.
struct examples {
  std::uint64_t seed;
  std::int64_t count;

  std::int64_t rows() const { return count; }
  std::int64_t puzzles() const { return count; }
  std::int64_t groups() const { return count; }
  trm::index_range puzzles_of(std::int64_t g) const { return {g, g + 1}; }
  trm::index_range rows_of(std::int64_t p) const { return {p, p + 1}; }
  std::int32_t puzzle_identifier(std::int64_t p) const { return static_cast<std::int32_t>(p % identifiers); }
  void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const {
    const trm::draws from = trm::philox{seed}.at(trm::purpose::user, static_cast<std::uint64_t>(row));
    for (int i = 0; i < model::S; ++i) {
      inputs[i] = static_cast<std::int32_t>(from.below(model::V, static_cast<std::uint64_t>(i)));
      labels[i] = static_cast<std::int32_t>(from.below(model::V, static_cast<std::uint64_t>(i + model::S)));
    }
  }
};

/// One of each, with the same weights.
template <class Device>
struct pair {
  reference_machine reference;
  Device device;
  trm::cuda::context<Device> cuda{device};
  reference_solver a;
  device_solver<Device> b;
  trm::puzzle_table<float> table = filled_table();
  trm::weights<model> w;

  explicit pair(int batch = B) : a(reference.context, batch), b(cuda, batch) {
    w.initialise(1);
    const auto q = w["model.inner.q_head.weight"];  // has an opinion
    const trm::draws from = trm::philox{9}.at(trm::purpose::user);
    for (std::size_t i = 0; i < q.size(); ++i) q[i] = static_cast<float>(from.normal(i));
    for (float& v : w["model.inner.q_head.bias"]) v = 0;
    a.use(w), b.use(w);
  }
};

/// The same answers as on the CPU, step by step, batch after batch.
template <class Device>
void check_answers() {
  pair<Device> p;
  for (std::uint64_t seed : {1u, 2u, 3u}) {
    auto examples = trm_test::batch_for<model>(B, seed, identifiers);
    if (seed == 3) examples.lengths = {5, 2, 1};  // after the step was captured
    if (seed == 2) examples.labels.clear();
    p.a.begin(examples.view(), &p.table), p.b.begin(examples.view(), &p.table);
    for (int s = 0; s < 3; ++s) {
      p.a.step(), p.b.step();
      check_same(p.a, p.b);
    }
  }
}

/// Samples that leave, come, are disturbed, and whose states are set.
template <class Device>
void check_changes() {
  pair<Device> p;
  const auto examples = trm_test::batch_for<model>(B, 5, identifiers),
             other = trm_test::batch_for<model>(1, 6, identifiers);
  const auto both = [&](auto f) { f(p.a), f(p.b); };
  both([&](auto& s) { s.begin(examples.view(), &p.table), s.step(), s.step(); });
  const std::vector<int> last_two{1, 2};
  both([&](auto& s) { s.keep(last_two), s.step(); });
  check_same(p.a, p.b);
  both([&](auto& s) { s.replace(1, other.view(), p.table), s.step(); });
  check_same(p.a, p.b);
  CHECK(std::as_const(p.b).samples().steps[1] == 1);
  both([&](auto& s) {
    s.each_active(
        [&](int i) { s.add_noise(i, 0.1, trm::philox{3}.at(trm::purpose::noise, 4, static_cast<std::uint32_t>(i))); });
    s.step();
  });
  check_same(p.a, p.b);
  both([&](auto& s) {
    for (float& v : s.state("H")) v *= 0.5f;
    s.step();
  });
  check_same(p.a, p.b);
  trm_test::check_error(
      [&] {
        p.b.keep(std::vector<int>{1, 0});
      },
      "solver: keep: samples in increasing order are wanted");
}

/// Early exit decides as on the CPU, and attempts are disturbed by the same draws.
template <class Device>
void check_early_exit() {
  pair<Device> p(4);
  const trm::dataset_metadata about{.vocab_size = model::V, .seq_len = model::S, .num_puzzle_identifiers = identifiers};
  const std::vector<examples> sources{{1, 5}, {2, 2}};
  for (int attempts : {1, 2}) {
    std::vector<std::vector<int>> answers[2];
    const auto run = [&](auto& s, auto& to) {
      return trm::evaluate_with_exit(s, p.table, std::span<const examples>(sources), about,
                                     trm::exit_rule{.max_steps = 4, .confidence = 0.5},
                                     trm::rollouts{.count = attempts, .noise = 0.2, .seed = 8}, 100,
                                     [&](const trm::sequential_part& part, int i, auto& solver) {
                                       const trm::samples& now = std::as_const(solver).samples();
                                       const auto from = now.predictions.begin() + i * model::S;
                                       to.push_back({from, from + model::S});
                                       to.back().push_back(static_cast<int>(part.first_row));
                                       to.back().push_back(now.steps[static_cast<std::size_t>(i)]);
                                     });
    };
    const trm::exit_report x = run(p.a, answers[0]), y = run(p.b, answers[1]);
    CHECK(answers[0] == answers[1]);
    CHECK(x.samples == 7);
    CHECK(x.steps == y.steps);
    CHECK(x.steps < 7 * 4 * attempts);  // some stopped early
    CHECK(x.steps > 7 * attempts);
    for (std::size_t i = 0; i < sources.size(); ++i) CHECK(x.metrics[i].accuracy == y.metrics[i].accuracy);
  }
}

}  // namespace trm_test::solving
