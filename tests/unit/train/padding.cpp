// SPDX-License-Identifier: MIT
// Padding: tokens beyond a sample's length change nothing that counts, bit for bit.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "trm/train/solver.hpp"
#include "unit/train/generated_batch.hpp"

namespace {

constexpr int V = 11, steps = 2;

template <int Tokens>
inline constexpr trm::config described{.tokens = Tokens,
                                       .vocab = V,
                                       .hidden = 16,
                                       .heads = 2,
                                       .h_cycles = 2,
                                       .l_cycles = 2,
                                       .puzzle_positions = 2,
                                       .puzzle_width = 24};

/// Logits [B, S, V] and Q values [B, 2] after some steps.
struct answer {
  std::vector<float> logits, q;
};

template <class Model>
answer solve(const trm_test::generated_batch& b) {
  const auto n = static_cast<int>(b.identifiers.size());
  trm::cpu::context<> device(2);
  trm::weights<Model> weights;
  weights.initialise(5);
  std::fill(weights["model.inner.q_head.weight"].begin(), weights["model.inner.q_head.weight"].end(), 0.125f);
  trm::puzzle_table<float> table(5, Model::W, n);
  for (std::size_t i = 0; i < table.rows() * table.width(); ++i) table.data()[i] = static_cast<float>(i % 7) - 3;
  trm::solver<Model> solver(device, n);
  solver.use(weights);
  solver.begin(b.view(), &table);
  for (int s = 0; s < steps; ++s) solver.step();
  answer a{{solver.logits().begin(), solver.logits().end()}, {}};
  for (const auto& q : solver.samples().halting) a.q.push_back(q.q_halt), a.q.push_back(q.q_continue);
  return a;
}

}  // namespace

TEST_CASE("other tokens in the padding change no logit before it and no Q value") {
  using model = trm::model<described<8>>;
  constexpr int S = model::S;
  auto b = trm_test::batch_for<model>(3, 4);
  b.lengths = {8, 5, 1};
  const answer before = solve<model>(b);
  for (std::size_t i = 0; i < 3; ++i) {
    for (auto t = static_cast<std::size_t>(b.lengths[i]); t < S; ++t)
      b.inputs[i * S + t] = (b.inputs[i * S + t] + 3) % V;
  }
  const answer after = solve<model>(b);
  CHECK(before.q == after.q);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto n = b.lengths[i] * V;
    const auto first = before.logits.begin() + static_cast<std::ptrdiff_t>(i) * S * V,
               second = after.logits.begin() + static_cast<std::ptrdiff_t>(i) * S * V;
    CHECK(std::equal(first, first + n, second));
    if (b.lengths[i] < S)
      CHECK_FALSE(std::equal(first + n, first + S * V, second + n));  // the padding's own logits do change
  }
}

TEST_CASE("without lengths the same tokens do count") {
  using model = trm::model<described<8>>;
  auto b = trm_test::batch_for<model>(3, 4);
  const answer before = solve<model>(b);
  b.inputs.back() = (b.inputs.back() + 3) % V;
  CHECK(before.q != solve<model>(b).q);
}

TEST_CASE("a length of all tokens is the same as no lengths") {
  using model = trm::model<described<8>>;
  auto b = trm_test::batch_for<model>(2, 4);
  const answer before = solve<model>(b);
  b.lengths = {8, 8};
  CHECK(before.logits == solve<model>(b).logits);
}

TEST_CASE("a model with a longer static maximum, the same weights, and padding") {
  using model = trm::model<described<8>>;
  using longer = trm::model<described<19>>;
  static_assert(model::extent == longer::extent);
  auto b = trm_test::batch_for<model>(3, 4);
  b.lengths = {8, 6, 3};
  auto padded = trm_test::batch_for<longer>(3, 77);
  padded.identifiers = b.identifiers;
  padded.lengths = b.lengths;
  for (int i = 0; i < 3; ++i) std::copy_n(b.inputs.begin() + i * 8, 8, padded.inputs.begin() + i * 19);
  const answer a = solve<model>(b), l = solve<longer>(padded);
  CHECK(a.q == l.q);
  for (int i = 0; i < 3; ++i) {
    const auto first = a.logits.begin() + i * 8 * V, second = l.logits.begin() + i * 19 * V;
    CHECK(std::equal(first, first + b.lengths[static_cast<std::size_t>(i)] * V, second));
  }
}
