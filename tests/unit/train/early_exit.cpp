// SPDX-License-Identifier: MIT
#include "trm/train/early_exit.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "support/throws.hpp"
#include "trm/models/model.hpp"

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
using solver = trm::solver<model>;
constexpr int identifiers = 5;
const trm::dataset_metadata about{.vocab_size = model::V, .seq_len = model::S, .num_puzzle_identifiers = identifiers};

/// Random examples, one for each puzzle.
struct source {
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
const std::vector<source> sources{{1, 7}, {2, 0}, {3, 6}};

/// Untrained weights whose Q head has an opinion.
trm::weights<model> weights() {
  trm::weights<model> w;
  w.initialise(3);
  const auto q = w["model.inner.q_head.weight"];
  const trm::draws from = trm::philox{9}.at(trm::purpose::user);
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = static_cast<float>(from.normal(i));
  std::ranges::fill(w["model.inner.q_head.bias"], 0.0f);
  return w;
}
trm::puzzle_table<float> table() {
  trm::puzzle_table<float> t(identifiers, model::W, 1);
  for (std::size_t i = 0; i < t.rows() * t.width(); ++i) t.data()[i] = static_cast<float>(i % 7) - 3;
  return t;
}

struct answer {
  std::vector<int> tokens;
  float q_halt = 0;
  int steps = 0;
  friend bool operator==(const answer&, const answer&) = default;
};
using row = std::pair<std::size_t, std::int64_t>;  // source, row
using answers = std::map<row, answer>;

answer answer_of(const solver& s, int i) {
  const trm::samples& now = s.samples();
  const auto from = now.predictions.begin() + static_cast<std::ptrdiff_t>(i) * model::S;
  const auto at = static_cast<std::size_t>(i);
  return {{from, from + model::S}, now.halting[at].q_halt, now.steps[at]};
}
std::pair<answers, trm::exit_report> evaluated(int batch, const trm::exit_rule& rule, const trm::rollouts& r = {},
                                               std::int64_t most = 1000) {
  trm::cpu::context<> device(2);
  const auto w = weights();
  const auto t = table();
  solver s(device, batch);
  s.use(w);
  answers all;
  auto report = trm::evaluate_with_exit(s, t.view(), std::span<const source>(sources), about, rule, r, most,
                                        [&](const trm::sequential_part& part, int i, const solver& by) {
                                          CHECK(part.rows == 1);
                                          CHECK(all.emplace(row(part.source, part.first_row), answer_of(by, i)).second);
                                        });
  return {all, report};
}
/// One example at a time, all its steps.
answers expected(const trm::exit_rule& rule) {
  trm::cpu::context<> device(1);
  const auto w = weights();
  const auto t = table();
  solver s(device, 1);
  s.use(w);
  answers all;
  for (std::size_t k = 0; k < sources.size(); ++k) {
    for (std::int64_t r = 0; r < sources[k].rows(); ++r) {
      std::vector<int> inputs(model::S), labels(model::S), id{sources[k].puzzle_identifier(r)};
      sources[k].read(r, inputs.data(), labels.data());
      s.begin({inputs, labels, id}, t.view());
      do {
        s.step();
        all[row(k, r)] = answer_of(s, 0);
      } while (!rule.stops(s.samples().halting[0].q_halt, s.samples().steps[0]));
    }
  }
  return all;
}

}  // namespace

TEST_CASE("a sample that leaves early answers as it would alone, whatever the batch") {
  for (const double confidence : {0.0, 0.5, 0.9, 1.0}) {
    const trm::exit_rule rule{.max_steps = 6, .confidence = confidence};
    const answers wanted = expected(rule);
    std::set<int> steps;
    std::int64_t sum = 0;
    for (const auto& [unused, a] : wanted) steps.insert(a.steps), sum += a.steps;
    if (confidence == 0.5 || confidence == 0.9)
      CHECK(steps.size() > 1);  // some leave early
    if (confidence == 1) CHECK(steps == std::set<int>{6});
    if (confidence == 0) CHECK(steps == std::set<int>{1});
    for (const int batch : {1, 4, 32}) {
      CAPTURE(batch);
      const auto [found, report] = evaluated(batch, rule);
      CHECK(found == wanted);
      CHECK(report.samples == 13);
      CHECK(report.steps == sum);
      CHECK(report.metrics[0].count == 7);
      CHECK(report.metrics[1].count == 0);
      CHECK(report.metrics[2].count == 6);
      CHECK(report.metrics[0].steps + report.metrics[2].steps == static_cast<double>(sum));
    }
  }
}

TEST_CASE("metrics are summed in the order of the data: the same bits for every batch") {
  const auto one = evaluated(1, {.max_steps = 4}).second, many = evaluated(5, {.max_steps = 4}).second;
  for (const std::size_t k : {0u, 2u}) {
    CHECK(one.metrics[k].lm_loss == many.metrics[k].lm_loss);
    CHECK(one.metrics[k].q_halt_loss == many.metrics[k].q_halt_loss);
    CHECK(one.metrics[k].accuracy == many.metrics[k].accuracy);
    CHECK(one.metrics[k].lm_loss > 0);
  }
}

TEST_CASE("a part of the data") {
  const auto [found, report] = evaluated(4, {.max_steps = 3}, {}, 9);
  CHECK(report.samples == 9);
  CHECK(found.size() == 9);
  CHECK(found.count(row(2, 1)) == 1);
  CHECK(found.count(row(2, 2)) == 0);
}

TEST_CASE("rollouts: the most confident answers; nothing depends on the batch, and without noise all are one") {
  const trm::exit_rule to_the_end{.max_steps = 4, .confidence = 1};
  const answers alone = expected(to_the_end);
  CHECK(evaluated(6, to_the_end, {.count = 3, .noise = 0}).first == alone);
  const auto three = evaluated(3, to_the_end, {.count = 3, .noise = 0.5, .seed = 1}).first;
  CHECK(evaluated(12, to_the_end, {.count = 3, .noise = 0.5, .seed = 1}).first == three);
  CHECK(evaluated(12, to_the_end, {.count = 3, .noise = 0.5, .seed = 2}).first != three);
  int higher = 0;
  for (const auto& [key, a] : three) {
    CHECK(a.q_halt >= alone.at(key).q_halt);
    higher += a.q_halt > alone.at(key).q_halt;
  }
  CHECK(higher > 3);
  // With an early exit as well.
  const trm::exit_rule early{.max_steps = 4, .confidence = 0.8};
  const auto [found, report] = evaluated(6, early, {.count = 3, .noise = 0.5, .seed = 1});
  CHECK(found == evaluated(3, early, {.count = 3, .noise = 0.5, .seed = 1}).first);
  CHECK(report.steps % 3 == 0);
  CHECK(report.steps < 13 * 4 * 3);
}

TEST_CASE("what cannot be is refused") {
  trm_test::check_error([] { evaluated(4, {.max_steps = 0}); }, "max_steps: must be at least 1");
  trm_test::check_error([] { evaluated(4, {.confidence = 1.5}); }, "confidence: must be from 0 to 1");
  trm_test::check_error([] { evaluated(4, {}, {.count = 3}); },
                        "rollouts: 3 must be at least 1 and divide the batch of 4");
  trm_test::check_error([] { evaluated(4, {}, {.count = 2, .noise = -1}); }, "rollouts: the noise");
}
