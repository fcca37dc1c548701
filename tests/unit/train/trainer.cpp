// SPDX-License-Identifier: MIT
#include "trm/train/trainer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/throws.hpp"
#include "unit/train/generated_batch.hpp"

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
using trainer = trm::trainer<model>;
constexpr int B = 4, identifiers = 6;

trm::training_options options() {
  return {.batch = B, .max_steps = 3, .exploration = 0, .puzzle_identifiers = identifiers};
}

std::vector<float> parameters(const trainer& t) {
  return {t.weights().parameters(), t.weights().parameters() + model::extent};
}
std::vector<float> gradients(const trainer& t) {
  std::vector<float> g(model::extent);
  for (const auto& e : model::table)
    std::copy(t.gradient(e.name()).begin(), t.gradient(e.name()).end(),
              g.begin() + static_cast<std::ptrdiff_t>(e.offset));
  return g;
}
double norm(const std::vector<float>& g) {
  double sum = 0;
  for (float x : g) sum += static_cast<double>(x) * static_cast<double>(x);
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("clipping: the norm is that of the gradient, and the update that of the scaled gradient") {
  trm::cpu::context<> device(1);
  trm::training_options o = options();
  o.optimizer = {.learning_rate = 1e-2, .beta1 = 0.8, .beta2 = 0.9, .weight_decay = 0.5};
  o.clip_norm = 0.05;
  trainer t(device, o);
  t.weights().initialise(1);
  std::vector<double> p(model::extent), m(model::extent), v(model::extent);
  const auto start = parameters(t);
  std::copy(start.begin(), start.end(), p.begin());
  for (int step = 1; step <= 3; ++step) {
    t.forward_backward(trm_test::batch_for<model>(B, static_cast<std::uint64_t>(step), identifiers).view());
    const auto g = gradients(t);
    const trm::step_report report = t.update();
    CHECK(report.gradient_norm == doctest::Approx(norm(g)).epsilon(1e-12));
    REQUIRE(report.gradient_norm > o.clip_norm);
    const double scale = o.clip_norm / report.gradient_norm;
    const auto now = parameters(t);
    double difference = 0, moved = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      m[i] = 0.8 * m[i] + 0.2 * scale * g[i];
      v[i] = 0.9 * v[i] + 0.1 * std::pow(scale * g[i], 2);
      const double next =
          p[i] * (1 - 1e-2 * 0.5) -
          1e-2 / (1 - std::pow(0.8, step)) * std::atan2(m[i], std::sqrt(v[i]) / std::sqrt(1 - std::pow(0.9, step)));
      difference += std::pow(now[i] - next, 2), moved += std::pow(next - p[i], 2);
      p[i] = next;
    }
    CHECK(moved > 0);
    CHECK(difference < 1e-10 * moved);
  }
}

TEST_CASE("a gradient below the limit is not clipped") {
  trm::cpu::context<> device(1);
  trm::training_options o = options(), high = o;
  high.clip_norm = 1e9;
  trainer plain(device, o), limited(device, high);
  plain.weights().initialise(1), limited.weights().initialise(1);
  const auto b = trm_test::batch_for<model>(B, 1, identifiers);
  for (int s = 0; s < 3; ++s) {
    const double norm = plain.step(b.view()).gradient_norm;
    CHECK(norm > 0);
    CHECK(limited.step(b.view()).gradient_norm == norm);
  }
  CHECK(parameters(plain) == parameters(limited));
}

TEST_CASE("learning rates of a step follow the schedule, which counts from 1") {
  trm::cpu::context<> device(1);
  trm::training_options o = options();
  o.optimizer.learning_rate = 4e-3;
  o.schedule = {.warmup = 4, .total = 8, .min_ratio = 0.5};
  trainer t(device, o);
  t.weights().initialise(1);
  const auto b = trm_test::batch_for<model>(B, 1, identifiers);
  std::vector<double> rates;
  for (int s = 1; s <= 8; ++s) {
    const trm::step_report report = t.step(b.view());
    CHECK(report.step == s);
    CHECK(t.step_number() == s);
    rates.push_back(report.learning_rate);
  }
  CHECK(rates[0] == doctest::Approx(1e-3));
  CHECK(rates[1] == doctest::Approx(2e-3));
  CHECK(rates[3] == doctest::Approx(4e-3));
  CHECK(rates[5] == doctest::Approx(3e-3));  // half way down the cosine
  CHECK(rates[7] == doctest::Approx(2e-3));
}

TEST_CASE("EMA begins with the weights before the first update and follows them") {
  trm::cpu::context<> device(1);
  trm::training_options o = options();
  o.ema_rate = 0.75;
  o.optimizer.learning_rate = 1e-2;
  trainer t(device, o);
  t.weights().initialise(1);
  CHECK(t.ema() == t.weights().parameters());  // before a step: the weights themselves
  std::vector<double> average(model::extent);
  std::copy_n(t.weights().parameters(), model::extent, average.begin());
  for (std::uint64_t s = 0; s < 4; ++s) {
    t.step(trm_test::batch_for<model>(B, s, identifiers).view());
    double worst = 0;
    for (std::size_t i = 0; i < model::extent; ++i) {
      average[i] = 0.75 * average[i] + 0.25 * static_cast<double>(t.weights().parameters()[i]);
      worst = std::max(worst, std::abs(average[i] - static_cast<double>(t.ema()[i])));
    }
    CHECK(worst < 1e-6);
  }
  CHECK(parameters(t) != std::vector<float>(t.ema(), t.ema() + model::extent));
}

TEST_CASE("initialised anew, a trainer computes with the new weights, and the average begins again") {
  trm::cpu::context<> device(1);
  trm::training_options o = options();
  o.max_steps = 1;  // every step begins with new samples
  o.ema_rate = 0.9;
  o.puzzle_learning_rate = 0;
  trainer used(device, o), fresh(device, o);
  const auto b = trm_test::batch_for<model>(B, 1, identifiers);
  used.initialise(1), fresh.initialise(2);
  used.step(b.view());
  CHECK(used.ema() != used.weights().parameters());
  used.initialise(2);
  CHECK(used.ema() == used.weights().parameters());
  used.forward_backward(b.view()), fresh.forward_backward(b.view());
  CHECK(parameters(used) == parameters(fresh));
  CHECK(gradients(used) == gradients(fresh));
}

TEST_CASE("frozen weights: only the puzzle rows of the batch move") {
  trm::cpu::context<> device(1);
  trm::training_options o = options();
  o.freeze_weights = true;
  o.ema_rate = 0.9;
  o.puzzle_learning_rate = 0.25, o.puzzle_weight_decay = 0.5;
  trainer t(device, o);
  t.weights().initialise(1);
  for (std::size_t i = 0; i < t.table().rows() * t.table().width(); ++i) t.table().data()[i] = 1;
  const auto before = parameters(t);
  auto b = trm_test::batch_for<model>(B, 1, identifiers);
  b.identifiers = {4, 1, 4, 1};
  t.step(b.view());
  CHECK(parameters(t) == before);
  CHECK(std::vector<float>(t.ema(), t.ema() + model::extent) == before);
  for (int id = 0; id < identifiers; ++id) {
    for (int j = 0; j < model::W; ++j) {
      INFO("row ", id, ", channel ", j);
      const float p = t.table().data()[id * model::W + j];
      if (id == 1 || id == 4) {
        CHECK((p == 1 - 0.125f - 0.25f || p == 1 - 0.125f + 0.25f));  // decay, and a step of either sign
      } else {
        CHECK(p == 1);
      }
    }
  }
}

TEST_CASE("tokens in the padding change no gradient") {
  trm::cpu::context<> device(1);
  auto b = trm_test::batch_for<model>(B, 3, identifiers);
  b.lengths = {6, 2, 4, 5};
  for (std::size_t i = 0; i < B; ++i) {
    for (auto s = static_cast<std::size_t>(b.lengths[i]); s < 6; ++s) b.labels[i * 6 + s] = trm::ignored_label;
  }
  trainer t(device, options());
  t.weights().initialise(1);
  t.forward_backward(b.view());
  const auto before = gradients(t);
  for (std::size_t i = 0; i < B; ++i) {
    for (auto s = static_cast<std::size_t>(b.lengths[i]); s < 6; ++s)
      b.inputs[i * 6 + s] = (b.inputs[i * 6 + s] + 2) % 7;
  }
  trainer again(device, options());
  again.weights().initialise(1);
  again.forward_backward(b.view());
  CHECK(norm(before) > 0);
  CHECK(gradients(again) == before);
}

TEST_CASE("options that do not fit") {
  trm::cpu::context<> device(1);
  const auto refused = [&](auto change, const char* words) {
    trm::training_options o = options();
    change(o);
    trm_test::check_error([&] { trainer t(device, o); }, words);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  refused([](auto& o) { o.batch = 0; }, "training option batch: must be at least 1, not 0");
  refused([](auto& o) { o.batch = -3; }, "training option batch: must be at least 1, not -3");
  refused([](auto& o) { o.micro_batch = 3; }, "training option micro_batch: 3 does not divide the batch of 4");
  refused([](auto& o) { o.micro_batch = 8; }, "training option micro_batch: 8 does not divide the batch of 4");
  refused([](auto& o) { o.micro_batch = -1; }, "training option micro_batch");
  refused([](auto& o) { o.max_steps = 0; }, "training option max_steps: must be at least 1, not 0");
  refused([](auto& o) { o.exploration = 1.5; }, "training option exploration");
  refused([](auto& o) { o.exploration = -0.5; }, "training option exploration");
  refused([&](auto& o) { o.exploration = nan; }, "training option exploration");
  refused([](auto& o) { o.ema_rate = 1; }, "training option ema_rate");
  refused([&](auto& o) { o.ema_rate = nan; }, "training option ema_rate");
  refused([](auto& o) { o.clip_norm = -1; }, "training option clip_norm");
  refused([&](auto& o) { o.clip_norm = nan; }, "training option clip_norm");
  refused([](auto& o) { o.optimizer.learning_rate = -1; },
          "training option learning_rate: must be finite and not negative");
  refused([&](auto& o) { o.optimizer.weight_decay = nan; }, "training option weight_decay");
  refused([&](auto& o) { o.puzzle_learning_rate = 1 / 0.0; }, "training option puzzle_learning_rate");
  refused([](auto& o) { o.puzzle_weight_decay = -1; }, "training option puzzle_weight_decay");
  refused([&](auto& o) { o.schedule.min_ratio = nan; }, "training option schedule.min_ratio");
  refused([](auto& o) { o.optimizer.beta1 = 1; }, "training option beta1");
  refused([](auto& o) { o.optimizer.beta2 = -0.5; }, "training option beta2");
  refused([](auto& o) { o.puzzle_identifiers = 0; }, "training option puzzle_identifiers: the model has puzzle rows");
}

TEST_CASE("batches that do not fit") {
  trm::cpu::context<> device(1);
  trainer t(device, options());
  t.weights().initialise(1);
  const auto before = parameters(t);
  const auto refused = [&](auto change, const char* words) {
    auto b = trm_test::batch_for<model>(B, 1, identifiers);
    change(b);
    trm_test::check_error([&] { t.step(b.view()); }, words);
  };
  refused([](auto& b) { b.inputs.pop_back(); }, "batch: inputs: expected 24 numbers, found 23");
  refused([](auto& b) { b.inputs.clear(); }, "batch: inputs: expected 24 numbers, found 0");
  refused([](auto& b) { b.labels.clear(); }, "batch: labels: expected 24 numbers, found 0");
  refused([](auto& b) { b.labels.push_back(0); }, "batch: labels: expected 24 numbers, found 25");
  refused([](auto& b) { b.identifiers.clear(); }, "batch: puzzle_identifiers: expected 4 numbers, found 0");
  refused([](auto& b) { b.lengths = {6}; }, "batch: lengths: expected 4 numbers, found 1");
  refused([](auto& b) { b.prefixes = {6, 6}; }, "batch: prefixes: expected 4 numbers, found 2");
  refused([](auto& b) { b.inputs[5] = 7; }, "batch: inputs[5]: 7 is not in [0, 7)");
  refused([](auto& b) { b.inputs[5] = -1; }, "batch: inputs[5]: -1 is not in [0, 7)");
  refused([](auto& b) { b.inputs[5] = -100; }, "batch: inputs[5]: -100 is not in [0, 7)");
  refused([](auto& b) { b.labels[2] = -99; }, "batch: labels[2]: -99 is not in [0, 7) and not -100");
  refused([](auto& b) { b.identifiers[3] = identifiers; }, "batch: puzzle_identifiers[3]: 6 is not in [0, 6)");
  refused([](auto& b) { b.identifiers[3] = -1; }, "batch: puzzle_identifiers[3]: -1");
  refused([](auto& b) { b.lengths = {1, 2, 0, 3}; }, "batch: lengths[2]: 0 is not in [1, 7)");
  refused([](auto& b) { b.lengths = {1, 7, 1, 3}; }, "batch: lengths[1]: 7");
  refused([](auto& b) { b.prefixes = {1, 2, 7, 3}; }, "batch: prefixes[2]: 7 is not in [0, 7)");
  CHECK(parameters(t) == before);
  CHECK(t.step_number() == 0);
  t.step(trm_test::batch_for<model>(B, 1, identifiers).view());  // and a good one goes through afterwards
  CHECK(t.step_number() == 1);
}

TEST_CASE("a puzzle table of another width") {
  trm::cpu::context<> device(1);
  trainer t(device, options());
  t.weights().initialise(1);
  t.table() = trm::puzzle_table<float>(identifiers, model::W + 1, B);
  trm_test::check_error([&] { t.step(trm_test::batch_for<model>(B, 1, identifiers).view()); },
                        "puzzle table: its rows have 13 numbers, the model's 12");
  t.table() = {};
  trm_test::check_error([&] { t.step(trm_test::batch_for<model>(B, 1, identifiers).view()); },
                        "puzzle table: its rows have 0 numbers, the model's 12");
}

TEST_CASE("names that the model does not have") {
  trm::cpu::context<> device(1);
  trainer t(device, options());
  trm_test::check_error([&] { t.gradient("model.inner.nothing"); },
                        "model.inner.nothing: the model has no such parameter");
  trm_test::check_error([&] { t.ema("model.inner.H_init"); }, "model.inner.H_init: the model has no such parameter");
  trm_test::check_error([&] { t.state("M"); }, "M: the schedule has no such state");
  trm_test::check_error([&] { t.weights()["lm_head"]; }, "lm_head: the model has no such tensor");
}
