// SPDX-License-Identifier: MIT
// What a token can change under each mask, after several supervision steps, bit for bit.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "trm/train/solver.hpp"
#include "unit/train/generated_batch.hpp"

namespace {

constexpr trm::config described(trm::mask_kind mask) {
  return {.tokens = 8, .vocab = 11, .hidden = 16, .heads = 2, .h_cycles = 2, .l_cycles = 2, .mask = mask};
}
constexpr int S = 8, V = 11, steps = 3;

/// Logits after some steps of two samples that differ in the token at one place: do those of place i differ?
template <class Model>
std::vector<bool> differences(int place, const std::vector<int>& prefixes) {
  trm::cpu::context<> device(1);
  trm::weights<Model> weights;
  weights.initialise(5);
  trm::solver<Model> solver(device, 2);
  solver.use(weights);
  auto b = trm_test::batch_for<Model>(2, 9);
  std::copy_n(b.inputs.begin(), S, b.inputs.begin() + S);
  int& changed = b.inputs[static_cast<std::size_t>(S + place)];
  changed = (changed + 1) % V;
  b.prefixes = prefixes;
  solver.begin(b.view());
  for (int s = 0; s < steps; ++s) solver.step();
  std::vector<bool> d;
  for (int i = 0; i < S; ++i) {
    const auto first = solver.logits().begin() + i * V, second = first + S * V;
    d.push_back(!std::equal(first, first + V, second));
  }
  return d;
}

}  // namespace

TEST_CASE("causal mask: a token changes the logits at its place and after it, none before") {
  using model = trm::model<described(trm::mask_kind::causal)>;
  for (int place = 0; place < S; ++place) {
    const auto d = differences<model>(place, {});
    for (int i = 0; i < S; ++i) {
      INFO("changed ", place, ", logits at ", i);
      CHECK(d[static_cast<std::size_t>(i)] == (i >= place));
    }
  }
}

TEST_CASE("bidirectional mask: a token changes every logit") {
  using model = trm::model<described(trm::mask_kind::bidirectional)>;
  for (int place : {0, 3, S - 1}) CHECK(differences<model>(place, {}) == std::vector<bool>(S, true));
}

TEST_CASE("prefix mask: a token of the prompt changes everything, one of the response nothing before it") {
  using model = trm::model<described(trm::mask_kind::prefix)>;
  constexpr int prompt = 4;
  for (int place = 0; place < S; ++place) {
    const auto d = differences<model>(place, {prompt, prompt});
    for (int i = 0; i < S; ++i) {
      INFO("changed ", place, ", logits at ", i);
      CHECK(d[static_cast<std::size_t>(i)] == (place < prompt || i >= place));
    }
  }
}

TEST_CASE("prefix mask without prefixes is the causal mask") {
  using model = trm::model<described(trm::mask_kind::prefix)>;
  const auto d = differences<model>(3, {});
  for (int i = 0; i < S; ++i) CHECK(d[static_cast<std::size_t>(i)] == (i >= 3));
}
