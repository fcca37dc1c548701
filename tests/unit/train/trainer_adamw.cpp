// SPDX-License-Identifier: MIT
// A model without puzzle rows, trained by AdamW.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "support/throws.hpp"
#include "trm/train/trainer.hpp"
#include "unit/train/generated_batch.hpp"

namespace {
constexpr trm::config described{.tokens = 6,
                                .vocab = 7,
                                .hidden = 16,
                                .heads = 2,
                                .h_cycles = 1,
                                .l_cycles = 1,
                                .architecture = trm::architecture::single_state,
                                .mask = trm::mask_kind::causal,
                                .loss = trm::loss_kind::softmax};
using model = trm::model<described>;
using trainer = trm::trainer<model, trm::adamw>;
constexpr int B = 3;
}  // namespace

TEST_CASE("an update is AdamW's") {
  trm::cpu::context<> device(1);
  trm::training_options o{.batch = B};
  o.optimizer = {.learning_rate = 1e-2, .beta1 = 0.8, .beta2 = 0.9, .weight_decay = 0.5, .epsilon = 1e-3};
  trainer t(device, o);
  t.weights().initialise(1);
  const auto& e = *trm::weights<model>::find(model::table, "model.inner.L_level.layers.1.self_attn.o_proj.weight");
  const float* w = t.weights().parameters() + e.offset;
  std::vector<double> p(w, w + e.count), m(e.count), v(e.count);
  for (int step = 1; step <= 3; ++step) {
    t.forward_backward(trm_test::batch_for<model>(B, static_cast<std::uint64_t>(step)).view());
    const std::vector<float> g(t.gradient(e.name()).begin(), t.gradient(e.name()).end());
    t.update();
    double worst = 0;
    for (std::size_t i = 0; i < e.count; ++i) {
      m[i] = 0.8 * m[i] + 0.2 * g[i];
      v[i] = 0.9 * v[i] + 0.1 * g[i] * g[i];
      p[i] = p[i] * (1 - 1e-2 * 0.5) -
             1e-2 * m[i] / (1 - std::pow(0.8, step)) / (std::sqrt(v[i] / (1 - std::pow(0.9, step))) + 1e-3);
      worst = std::max(worst, std::abs(p[i] - static_cast<double>(w[i])));
    }
    CHECK(worst < 1e-6);
  }
}

TEST_CASE("puzzle rows that are not there") {
  trm::cpu::context<> device(1);
  trm_test::check_error([&] { trainer t(device, {.batch = B, .freeze_weights = true}); },
                        "training option freeze_weights: the model has no puzzle rows to train instead");
  trainer t(device, {.batch = B});
  t.weights().initialise(1);
  CHECK(t.table().rows() == 0);
  CHECK(t.puzzle_gradient().empty());
  auto b = trm_test::batch_for<model>(B, 1);
  CHECK(b.identifiers.empty());
  t.step(b.view());
  b.identifiers = {7, 123456, 0};  // of a dataset that has them: not looked at
  t.step(b.view());
  CHECK(t.step_number() == 2);
}
