// SPDX-License-Identifier: MIT
#include "trm/train/evaluate_together.hpp"

#include <cstdint>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include "support/thread_ranks.hpp"

namespace {

constexpr trm::config described{.tokens = 6,
                                .vocab = 7,
                                .hidden = 16,
                                .heads = 2,
                                .h_cycles = 1,
                                .l_cycles = 2,
                                .puzzle_positions = 1,
                                .puzzle_width = 12};
using model = trm::model<described>;
using ranks = trm_test::thread_ranks;

/// One example of each puzzle; tokens are functions of the row.
struct numbered_rows {
  std::int64_t count, first;
  std::int64_t rows() const { return count; }
  std::int64_t puzzles() const { return count; }
  std::int64_t groups() const { return count; }
  trm::index_range puzzles_of(std::int64_t g) const { return {g, g + 1}; }
  trm::index_range rows_of(std::int64_t p) const { return {p, p + 1}; }
  std::int32_t puzzle_identifier(std::int64_t p) const { return static_cast<std::int32_t>((first + p) % 4); }
  void read(std::int64_t row, int* inputs, int* labels) const {
    for (int i = 0; i < model::S; ++i) {
      inputs[i] = static_cast<int>((first + row * (i + 3)) % 7);
      labels[i] = (row + i) % 5 == 0 ? trm::ignored_label : (inputs[i] + 1) % 7;
    }
  }
};

/// Everything that an evaluation says, in order.
struct record {
  std::vector<trm::step_metrics> metrics;
  std::vector<int> inputs, labels, identifiers, predictions;
  std::vector<float> q;
  std::vector<std::int64_t> parts;
  void add(const trm::batch& b, const trm::sequential_part& part, const trm::samples& s) {
    const auto n = static_cast<std::ptrdiff_t>(part.rows), t = n * model::S;
    inputs.insert(inputs.end(), b.inputs.begin(), b.inputs.begin() + t);
    labels.insert(labels.end(), s.labels.begin(), s.labels.begin() + t);
    identifiers.insert(identifiers.end(), b.puzzle_identifiers.begin(), b.puzzle_identifiers.begin() + n);
    predictions.insert(predictions.end(), s.predictions.begin(), s.predictions.begin() + t);
    for (std::ptrdiff_t i = 0; i < n; ++i) q.push_back(s.halting[static_cast<std::size_t>(i)].q_halt);
    parts.insert(parts.end(), {static_cast<std::int64_t>(part.source), part.first_row, part.rows});
  }
  bool operator==(const record& o) const {
    const auto numbers = [](const record& r) {
      std::vector<double> all;
      for (const auto& m : r.metrics)
        all.insert(all.end(),
                   {m.count, m.accuracy, m.exact_accuracy, m.q_halt_accuracy, m.steps, m.lm_loss, m.q_halt_loss});
      return all;
    };
    return numbers(*this) == numbers(o) && inputs == o.inputs && labels == o.labels && identifiers == o.identifiers &&
           predictions == o.predictions && q == o.q && parts == o.parts;
  }
};

constexpr int batch = 6, steps = 2;
// The last batches have examples for all ranks, for one rank, and for a part of the second.
const std::vector<numbered_rows> sources{{12, 0}, {7, 20}, {10, 40}};
const trm::dataset_metadata data = [] {
  trm::dataset_metadata m;
  m.seq_len = model::S, m.vocab_size = model::V;
  return m;
}();

struct trained {
  trm::weights<model> weights;
  trm::puzzle_table<float> table{4, model::W, 1};
  trained() {
    weights.initialise(3);
    for (std::size_t i = 0; i < 4 * model::W; ++i) table.data()[i] = static_cast<float>(i % 7) - 3;
  }
};

}  // namespace

TEST_CASE("several processes evaluate to the bits of one, and the first sees every batch") {
  const trained t;
  record alone;
  {
    trm::cpu::context<> device(1);
    trm::solver<model> s(device, batch);
    s.use(t.weights);
    alone.metrics = trm::evaluate(s, t.table.view(), std::span(sources), data, steps, 100,
                                  [&](const trm::batch& b, const trm::sequential_part& p,
                                      const trm::solver<model>& now) { alone.add(b, p, now.samples()); });
  }
  CHECK(alone.parts.size() == 3 * 6);
  for (const int n : {1, 2, 3}) {
    CAPTURE(n);
    ranks::run(n, [&](ranks::communicator& c) {
      trm::cpu::context<> device(1);
      trm::solver<model> s(device, batch / n);
      s.use(t.weights);
      record together;
      int batches = 0;
      together.metrics =
          trm::evaluate_together(s, t.table.view(), std::span(sources), data, steps, 100, c,
                                 [&](const trm::batch& b, const trm::sequential_part& p, const trm::samples& all) {
                                   ++batches;
                                   if (c.rank() == 0) together.add(b, p, all);
                                 });
      CHECK(batches == 6);
      if (c.rank() == 0) {
        CHECK(together == alone);
      } else {
        for (std::size_t i = 0; i < sources.size(); ++i) CHECK(together.metrics[i].lm_loss == alone.metrics[i].lm_loss);
      }
    });
  }
}
