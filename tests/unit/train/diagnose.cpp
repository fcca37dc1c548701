// SPDX-License-Identifier: MIT
#include "trm/train/diagnose.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "trm/train/trainer.hpp"
#include "unit/train/generated_batch.hpp"

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();
constexpr int B = 4, identifiers = 6;

// 6 applications: z_L, z_L, z_H in each of two cycles.
constexpr trm::config attends{.tokens = 6,
                              .vocab = 7,
                              .hidden = 32,
                              .heads = 2,
                              .layers = 2,
                              .h_cycles = 2,
                              .l_cycles = 2,
                              .width_multiple = 16,
                              .puzzle_positions = 1,
                              .puzzle_width = 32,
                              .loss = trm::loss_kind::softmax};
constexpr trm::config mixes{.tokens = 6,
                            .vocab = 7,
                            .hidden = 32,
                            .layers = 2,
                            .h_cycles = 2,
                            .l_cycles = 2,
                            .width_multiple = 16,
                            .mixing = trm::mixing_kind::tokens,
                            .positions = trm::position_kind::none,
                            .halting = trm::halting_kind::q_continue};

/// A trainer that has done one good step, after which no sample halted.
template <class Model>
struct run {
  trm::cpu::context<> device{2};
  trm::trainer<Model> trainer;
  trm_test::generated_batch batch = trm_test::batch_for<Model>(B, 7, identifiers);

  explicit run(int micro_batch = 0)
      : trainer(device, {.batch = B,
                         .micro_batch = micro_batch,
                         .max_steps = 16,
                         .exploration = 0,
                         .puzzle_identifiers = Model::W > 0 ? identifiers : 0}) {
    trainer.weights().initialise(3);
    trainer.step(batch.view());
    for (const unsigned char h : trainer.samples().halted) REQUIRE(h == 0);
  }
  auto weight(const char* name) {
    trainer.weights_changed();
    return trainer.weights()[name];
  }
  std::optional<trm::non_finite> diagnose() {
    trainer.forward_backward(batch.view());
    const auto found = trainer.diagnose();
    CHECK(found.has_value() == !trainer.finite());
    trainer.undo();
    return found;
  }
};

using attention_run = run<trm::model<attends>>;
using mixer_run = run<trm::model<mixes, trm::bf16>>;

const std::string level = "model.inner.L_level.layers.";

}  // namespace

TEST_CASE("nothing is found in a step that is finite, and nothing is changed by looking") {
  attention_run looked, other;
  CHECK(!looked.diagnose());
  const auto a = looked.trainer.step(looked.batch.view()), b = other.trainer.step(other.batch.view());
  CHECK(a.metrics.lm_loss == b.metrics.lm_loss);
  CHECK(a.gradient_norm == b.gradient_norm);
  CHECK(!mixer_run(B / 2).diagnose());
}

TEST_CASE("a parameter that is not finite is named with its element") {
  attention_run r;
  r.weight("model.inner.L_level.layers.1.mlp.gate_up_proj.weight")[3 * 32 + 5] = not_a_number;
  const auto found = r.diagnose();
  REQUIRE(found);
  CHECK(found->sample == -1);
  CHECK(found->application == 0);
  CHECK(found->place == level + "1.mlp.gate_up_proj.weight");
  CHECK(found->element == "element [3, 5]");
  CHECK(std::isnan(found->value));
  CHECK(found->largest > 0.2);
  CHECK(found->largest < 1);
}

TEST_CASE("an initial state and a puzzle row") {
  attention_run r;
  const int row = r.batch.identifiers[1];
  r.trainer.table().data()[row * 32 + 9] = -infinity;
  auto found = r.diagnose();
  REQUIRE(found);
  CHECK(found->place == "puzzle row");
  CHECK(r.batch.identifiers[static_cast<std::size_t>(found->sample)] == row);
  CHECK(found->element == "row 0, channel 9");
  CHECK(found->value == -infinity);
  r.weight("model.inner.L_init")[4] = infinity;
  found = r.diagnose();
  REQUIRE(found);
  CHECK(found->place == "model.inner.L_init");
  CHECK(found->element == "element [4]");
}

TEST_CASE("a weight that is finite in float32 and not in bf16") {
  mixer_run r;
  r.weight("model.inner.lm_head.weight")[2] = 3.4e38f;
  const auto found = r.diagnose();
  REQUIRE(found);
  CHECK(found->place == "model.inner.lm_head.weight, rounded to the type that is computed in");
  CHECK(found->value == infinity);
}

TEST_CASE(
    "a state that was not finite before the step: the sample's number in the batch; of a halted sample it does not "
    "count") {
  for (const int micro_batch : {0, 2, 1}) {
    attention_run r(micro_batch);
    r.trainer.state("L")[(3 * 7 + 2) * 32 + 11] = not_a_number;  // 7 positions of 32 channels a sample
    const auto found = r.diagnose();
    REQUIRE(found);
    CHECK(found->sample == 3);
    CHECK(found->place == "z_L before the step");
    CHECK(found->element == "row 2, channel 11");
    r.trainer.samples().halted[3] = 1;
    CHECK(!r.diagnose());
  }
}

TEST_CASE("a product that overflows is named by its layer and application") {
  attention_run r;
  for (float& w : r.weight("model.inner.L_level.layers.1.mlp.gate_up_proj.weight")) w = std::copysign(3e38f, w);
  const auto found = r.diagnose();
  REQUIRE(found);
  CHECK(found->sample == 0);
  CHECK(found->application == 1);
  CHECK(found->place == level + "1.mlp.gate_up_proj output, gated, application 1 of 6 (z_L, cycle 1)");
  CHECK(found->largest > 0.5);  // of the normed rows that it was applied to
  CHECK(found->largest < 6);
  CHECK(found->text().find("sample 0: model.inner.L_level.layers.1.mlp.gate_up_proj output") == 0);
}

TEST_CASE("the token mixer's product, and attention's") {
  mixer_run mixer;
  for (float& w : mixer.weight("model.inner.L_level.layers.0.mlp_t.gate_up_proj.weight")) w = std::copysign(3e38f, w);
  auto found = mixer.diagnose();
  REQUIRE(found);
  CHECK(found->place == level + "0.mlp_t.gate_up_proj output, gated, application 1 of 6 (z_L, cycle 1)");
  attention_run attention;
  for (float& w : attention.weight("model.inner.L_level.layers.0.self_attn.qkv_proj.weight")) w *= 1e25f;
  found = attention.diagnose();
  REQUIRE(found);
  CHECK(found->place == level + "0.self_attn attention, application 1 of 6 (z_L, cycle 1)");
}

TEST_CASE("an overflow that begins with the first application that does not read the input") {
  // Channel 0 of the input is so large that the norm leaves next to nothing of channel 1, and it is channel 1 that overflows.
  attention_run r;
  const auto embedding = r.weight("model.inner.embed_tokens.embedding_weight");
  for (std::size_t i = 0; i < embedding.size(); i += 32) embedding[i] = 1e10f;
  for (std::size_t i = 0; i < identifiers; ++i) r.trainer.table().data()[32 * i] = 1e10f;
  r.weight("model.inner.H_init")[1] = 20;
  r.weight("model.inner.L_level.layers.0.mlp.gate_up_proj.weight")[1] = 3e38f;
  r.trainer.samples().halted.assign(B, 1);
  const auto found = r.diagnose();
  REQUIRE(found);
  CHECK(found->place == level + "0.mlp.gate_up_proj output, gated, application 3 of 6 (z_H, cycle 1)");
  CHECK(found->application == 3);
}

TEST_CASE("logits, and what comes of embedding") {
  attention_run r;
  for (float& w : r.weight("model.inner.lm_head.weight")) w = std::copysign(3e38f, w);
  auto found = r.diagnose();
  REQUIRE(found);
  CHECK(found->place == "model.inner.lm_head output");
  for (float& w : r.weight("model.inner.embed_tokens.embedding_weight")) w = 2e38f;  // times sqrt(32)
  found = r.diagnose();
  REQUIRE(found);
  CHECK(found->place == "input of the recursion, x");
  CHECK(found->element == "row 1, channel 0");  // row 0 is the puzzle's
}

TEST_CASE("a gradient that overflows where the forward pass is finite") {
  // Gate and up of the last layer are 1e13 times as large and down takes that back; its gradient is what comes in times 1e26.
  attention_run r;
  for (float& w : r.weight("model.inner.L_level.layers.1.mlp.gate_up_proj.weight")) w *= 1e13f;
  for (float& w : r.weight("model.inner.L_level.layers.1.mlp.down_proj.weight")) w *= 1e-26f;
  CHECK(!r.diagnose());
  for (float& w : r.weight("model.inner.lm_head.weight")) w *= 1e20f;
  r.trainer.forward_backward(r.batch.view());
  for (const float y : r.trainer.logits()) REQUIRE(std::isfinite(y));
  r.trainer.undo();
  const auto found = r.diagnose();
  REQUIRE(found);
  CHECK(found->place == "gradient of " + level + "1.mlp.down_proj.weight, application 6 of 6 (z_H, cycle 2)");
  CHECK(found->element.find("element [") == 0);
  CHECK(found->sample == -1);
  CHECK(found->largest > 1e20);
}

TEST_CASE("a state that is finite before a step that is not is told from one that is not") {
  attention_run r;
  for (float& w : r.weight("model.inner.lm_head.weight")) w = std::copysign(3e38f, w);
  try {
    r.trainer.step(r.batch.view());
    FAIL("the step was finite");
  } catch (const trm::not_finite_error& e) {
    CHECK(e.state_finite);
    CHECK(std::string(e.what()).find("step 2: the loss is not finite: sample 0: model.inner.lm_head output, row ") ==
          0);
  }
}

TEST_CASE("a step that is not finite leaves the trainer as it was, and its error says where it began") {
  attention_run r;
  const std::vector<float> z(r.trainer.state("H").begin(), r.trainer.state("H").end());
  const std::vector<float> before(r.trainer.weights().parameters(),
                                  r.trainer.weights().parameters() + trm::model<attends>::extent);
  const float kept = r.trainer.state("L")[(2 * 7 + 1) * 32];
  r.trainer.state("L")[(2 * 7 + 1) * 32] = infinity;
  std::string message;
  bool good = true;
  try {
    r.trainer.step(r.batch.view());
  } catch (const trm::not_finite_error& e) {
    message = e.what(), good = e.state_finite;
  }
  CHECK(!good);
  CHECK(message.find("step 2: the loss is not finite: sample 2: z_L before the step, row 1, channel 0 is inf") == 0);
  CHECK(message.find('\n') == std::string::npos);
  CHECK(r.trainer.step_number() == 1);
  CHECK(std::equal(z.begin(), z.end(), r.trainer.state("H").begin()));
  CHECK(std::equal(before.begin(), before.end(), r.trainer.weights().parameters()));
  r.trainer.state("L")[(2 * 7 + 1) * 32] = kept;
  attention_run undisturbed;
  CHECK(r.trainer.step(r.batch.view()).metrics.lm_loss ==
        undisturbed.trainer.step(undisturbed.batch.view()).metrics.lm_loss);
}
