// SPDX-License-Identifier: MIT
// What must hold of a trainer on any device of the CUDA backend: on the emulated one, and on a GPU.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/throws.hpp"
#include "trm/train/cuda/solver.hpp"
#include "trm/train/cuda/trainer.hpp"
#include "trm/train/solver.hpp"
#include "trm/train/trainer.hpp"
#include "unit/train/cuda/reference_machine.hpp"
#include "unit/train/generated_batch.hpp"

namespace trm_test {

constexpr trm::config device_config{.tokens = 5,
                                    .vocab = 7,
                                    .hidden = 16,
                                    .heads = 2,
                                    .layers = 1,
                                    .h_cycles = 2,
                                    .l_cycles = 1,
                                    .expansion = 1,
                                    .width_multiple = 8,
                                    .puzzle_positions = 1,
                                    .puzzle_width = 12,
                                    .mask = trm::mask_kind::prefix,
                                    .halting = trm::halting_kind::q_continue};
using device_model = trm::model<device_config>;
constexpr int device_batch = 4, device_identifiers = 4;

inline trm::training_options device_options() {
  trm::training_options o{.batch = device_batch, .max_steps = 3, .exploration = 0.5};
  o.optimizer.learning_rate = 1e-3;
  o.schedule = {.warmup = 2, .total = 20, .min_ratio = 0.1};
  o.ema_rate = 0.9;
  o.clip_norm = 0.05;
  o.puzzle_identifiers = device_identifiers;
  o.seed = 3;
  return o;
}

template <class Device>
using device_trainer = trm::trainer<device_model, trm::adam_atan2, trm::cuda::context<Device>>;
using reference_trainer = trm::trainer<device_model, trm::adam_atan2, reference_machine::context_type>;

/// Weights whose Q head says halt (q_continue is far below), so that it is the exploration that decides.
template <class Trainer>
void begin_weights(Trainer& t) {
  t.initialise(1);
  t.weights()["model.inner.q_head.bias"][0] = 1;
  t.weights_changed();
}

template <class Model = device_model>
generated_batch examples_of(int step) {
  return batch_for<Model>(device_batch, static_cast<std::uint64_t>(100 + step), device_identifiers);
}

/// max |a - b| / max |b|, largest over 1e-30
template <class A, class B>
double difference(const A& a, const B& b) {
  double worst = 0, size = 1e-30;
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    worst = std::max(worst, std::isfinite(x) ? std::abs(x - y) : 1e30), size = std::max(size, std::abs(y));
  }
  return worst / size;
}

template <class Trainer>
std::span<const float> parameters_of(const Trainer& t) {
  return {t.weights().parameters(), Trainer::model::extent};
}

/// Float32 rounds by 2^-24 of a value. A value of this model is some forty sums of such values away from its input, and a sum's errors add
/// up at most, so that results of two correct orders of summation differ by less than this part of the largest of them.
constexpr double rounding = 2 * 40 * 0x1p-24 * 2;

/// How far two correct runs may be apart.
struct distances {
  double numbers = rounding;  // of the largest, of each tensor of a step
  double moved = 1e-3;        // of the way that a weight was moved at most
  int rows = 50;  // of so many numbers of the puzzle rows one: sparse SignSGD takes whole steps, the other way where a
                  // gradient is nothing but rounding
};

/// Tokens whose two largest logits are further apart than `bound` of the largest of all: what is predicted there is decided.
template <class Model, class T>
std::vector<bool> decided(std::span<const T> logits, double bound) {
  double size = 0;
  for (const T v : logits) size = std::max(size, std::abs(static_cast<double>(v)));
  std::vector<bool> result;
  for (std::size_t i = 0; i < logits.size(); i += Model::V) {
    std::vector<double> of_token(logits.begin() + static_cast<std::ptrdiff_t>(i),
                                 logits.begin() + static_cast<std::ptrdiff_t>(i + Model::V));
    std::sort(of_token.begin(), of_token.end());
    result.push_back(of_token.end()[-1] - of_token.end()[-2] > 2 * bound * size);
  }
  return result;
}

/// The same run on both: what is decided is equal, numbers are to rounding. With `kinds` lengths, and prefixes where the model's mask has
/// them, begin to count after the step was captured.
template <class Device, class Model = device_model, class Optimizer = trm::adam_atan2>
void check_same_run_as_cpu(const trm::training_options& o, bool kinds = false, distances most = {}) {
  reference_machine reference;
  Device device;
  trm::cuda::context<Device> cuda(device);
  trm::trainer<Model, Optimizer, reference_machine::context_type> a(reference.context, o);
  trm::trainer<Model, Optimizer, trm::cuda::context<Device>> b(cuda, o);
  begin_weights(a), begin_weights(b);
  const std::vector<float> begun(parameters_of(a).begin(), parameters_of(a).end());
  int halted = 0, went_on = 0, open = 0;
  for (int s = 0; s < 5; ++s) {
    generated_batch examples = examples_of<Model>(s);
    if (kinds && s >= 2) {
      examples.lengths = {5, 3, 4, 1};
      if (Model::description.mask == trm::mask_kind::prefix) examples.prefixes = {0, 3, 2, 1};
    }
    const trm::step_report x = a.step(examples.view()), y = b.step(examples.view());
    INFO("step ", s + 1);
    const trm::samples &p = a.samples(), &q = std::as_const(b).samples();
    CHECK(p.inputs == q.inputs);
    CHECK(p.labels == q.labels);
    CHECK(p.puzzle_identifiers == q.puzzle_identifiers);
    CHECK(p.lengths == q.lengths);
    CHECK(p.prefixes == q.prefixes);
    CHECK(p.steps == q.steps);
    CHECK(p.halted == q.halted);
    CHECK(p.reset == q.reset);
    const std::vector<bool> counts = decided<Model>(std::as_const(a).logits(), most.numbers);
    bool all = true;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i]) CHECK(p.predictions[i] == q.predictions[i]);
      open += !counts[i], all = all && counts[i];
    }
    for (unsigned char h : q.halted) ++(h != 0 ? halted : went_on);
    CHECK(x.step == y.step);
    CHECK(x.learning_rate == y.learning_rate);
    CHECK(x.metrics.count == y.metrics.count);
    CHECK(x.metrics.steps == y.metrics.steps);
    if (all) {
      CHECK(x.metrics.accuracy == y.metrics.accuracy);
      CHECK(x.metrics.exact_accuracy == y.metrics.exact_accuracy);
      CHECK(x.metrics.q_halt_accuracy == y.metrics.q_halt_accuracy);
    }
    CHECK(std::abs(x.metrics.loss() - y.metrics.loss()) <= most.numbers * x.metrics.loss());
    CHECK(std::abs(x.gradient_norm - y.gradient_norm) <= most.numbers * x.gradient_norm);
    CHECK(difference(b.logits(), a.logits()) <= most.numbers);
    CHECK(difference(std::as_const(b).state("H"), a.state("H")) <= most.numbers);
    CHECK(difference(std::as_const(b).state("L"), a.state("L")) <= most.numbers);
    CHECK(difference(b.puzzle_gradient(), a.puzzle_gradient()) <= most.numbers);
    for (const auto& e : Model::table) {
      INFO(e.name());
      CHECK(difference(b.gradient(e.name()), a.gradient(e.name())) <= most.numbers);
    }
  }
  CHECK(halted > 0);
  CHECK(went_on > 0);
  CHECK(open * 5 <= 5 * device_batch * Model::S);  // most are decided
  CHECK(b.captured());
  // A step of AdamATan2 has about one size whatever its gradient, so errors are measured by what the weights were moved.
  double moved = 0, apart = 0, average_apart = 0;
  const std::span<const float> p = parameters_of(a), q = parameters_of(b);
  for (std::size_t i = 0; i < p.size(); ++i) {
    moved = std::max(moved, static_cast<double>(std::abs(p[i] - begun[i])));
    apart = std::max(apart, static_cast<double>(std::abs(p[i] - q[i])));
    average_apart = std::max(average_apart, static_cast<double>(std::abs(a.ema()[i] - b.ema()[i])));
  }
  INFO("moved by ", moved, ", apart by ", apart);
  CHECK(apart <= (o.freeze_weights ? 0 : most.moved * moved));
  CHECK(average_apart <= (o.freeze_weights ? 0 : most.moved * moved));
  CHECK((moved > 0) == !o.freeze_weights);
  const auto rows = [](const auto& t) {
    return std::span<const float>(t.table().data(), t.table().rows() * t.table().width());
  };
  int other = 0;
  for (std::size_t i = 0; i < rows(a).size(); ++i) other += rows(a)[i] != rows(std::as_const(b))[i];
  INFO(other, " of ", rows(a).size(), " numbers of the puzzle rows differ");
  CHECK(other * most.rows <= static_cast<int>(rows(a).size()));
  CHECK(std::any_of(rows(a).begin(), rows(a).end(), [](float v) { return v != 0; }));
}

/// The bytes of everything that a run has changed.
template <class Trainer>
std::vector<char> bytes_of_run(const Trainer& t) {
  std::vector<char> all;
  const auto add = [&](const auto* values, std::size_t n) {
    const auto* from = reinterpret_cast<const char*>(values);
    all.insert(all.end(), from, from + n * sizeof(*values));
  };
  add(t.weights().parameters(), device_model::extent), add(t.ema(), device_model::extent);
  add(t.table().data(), t.table().rows() * t.table().width());
  add(t.logits().data(), t.logits().size());
  t.each_state([&](const auto&, const auto* v) { add(v, device_model::extent); },
               [&](const auto&, const auto&, const auto v) { add(v.data(), v.size()); });
  return all;
}

/// A run of `steps` steps. `ask(trainer, batch)` makes one.
template <class Device, class Ask>
std::vector<char> device_run(Device& device, const trm::training_options& o, int steps, Ask ask) {
  trm::cuda::context<Device> cuda(device);
  device_trainer<Device> t(cuda, o);
  begin_weights(t);
  for (int s = 0; s < steps; ++s) ask(t, examples_of(s).view());
  t.finish();
  return bytes_of_run(t);
}
constexpr auto waited = [](auto& t, const trm::batch& b) { t.step(b); };

/// Reports that are read a step late are those of steps that were waited for, and so is what the run leaves.
template <class Device>
void check_late_reports() {
  Device device;
  std::vector<trm::step_report> late, waited_for;
  const auto later = [&](auto& t, const trm::batch& b) {
    if (const auto r = t.step_ahead(b)) late.push_back(*r);
  };
  const auto now = [&](auto& t, const trm::batch& b) { waited_for.push_back(t.step(b)); };
  const auto a = device_run(device, device_options(), 4, now);
  const auto b = device_run(device, device_options(), 4, later);
  CHECK(a == b);
  REQUIRE(late.size() == 3);
  for (std::size_t i = 0; i < late.size(); ++i) {
    CHECK(late[i].step == waited_for[i].step);
    CHECK(late[i].learning_rate == waited_for[i].learning_rate);
    CHECK(late[i].gradient_norm == waited_for[i].gradient_norm);
    CHECK(late[i].metrics.loss() == waited_for[i].metrics.loss());
    CHECK(late[i].metrics.count == waited_for[i].metrics.count);
  }
}

/// Halves of a step, and a half that is taken back, leave what whole steps leave.
template <class Device>
void check_halves_and_undo() {
  Device device;
  const auto halves = [](auto& t, const trm::batch& b) {
    const generated_batch other = examples_of(77);
    t.forward_backward(other.view());
    t.undo();
    t.forward_backward(b);
    CHECK(t.finite());
    t.update();
  };
  CHECK(device_run(device, device_options(), 4, waited) == device_run(device, device_options(), 4, halves));
}

/// A step that is not finite changes nothing, says where, and the run goes on as if it had not been: as the CPU's, which never had it.
template <class Device, class Ask>
void check_not_finite(Ask ask, trm::training_options o = device_options()) {
  reference_machine reference;
  Device device;
  trm::cuda::context<Device> cuda(device);
  reference_trainer undisturbed(reference.context, o);
  device_trainer<Device> t(cuda, o);
  begin_weights(t), begin_weights(undisturbed);
  for (int s = 0; s < 3; ++s) t.step(examples_of(s).view()), undisturbed.step(examples_of(s).view());
  int sample = device_batch - 1;  // the last one that goes on
  while (std::as_const(t).samples().halted[static_cast<std::size_t>(sample)] != 0) --sample;
  CHECK(sample > 0);  // of micro-batches of one sample it is not in the first
  const std::size_t at = static_cast<std::size_t>(sample * device_model::L * device_model::D) + 5;
  const float good = std::as_const(t).state("L")[at];
  t.state("L")[at] = std::numeric_limits<float>::infinity();
  const auto before = bytes_of_run(t);
  try {
    ask(t);
    FAIL("it went on");
  } catch (const trm::not_finite_error& e) {
    INFO(e.what());
    CHECK(std::string(e.what()).find("step 4: the ") == 0);
    CHECK(std::string(e.what()).find(" is not finite: sample " + std::to_string(sample) +
                                     ": z_L before the step, element 5 is inf") != std::string::npos);
    CHECK(!e.state_finite);
  }
  CHECK(t.step_number() == 3);
  auto after = bytes_of_run(t);
  t.state("L")[at] = good;
  const trm::step_report x = undisturbed.step(examples_of(3).view()), y = t.step(examples_of(3).view());
  CHECK(std::abs(x.metrics.loss() - y.metrics.loss()) <= rounding * x.metrics.loss());
  CHECK(x.metrics.count == y.metrics.count);
  CHECK(undisturbed.samples().halted == std::as_const(t).samples().halted);
  CHECK(undisturbed.samples().steps == std::as_const(t).samples().steps);
  // logits are left by the step that failed, all else is as before: compared without them
  const std::size_t logits_at = (2 * device_model::extent + device_identifiers * device_model::W) * sizeof(float),
                    logits_end = logits_at + t.logits().size_bytes();
  auto strip = [&](std::vector<char> bytes) {
    bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(logits_at),
                bytes.begin() + static_cast<std::ptrdiff_t>(logits_end));
    return bytes;
  };
  CHECK(strip(before) == strip(after));
}

/// A solver with the average that is on the device answers as one of the CPU with the CPU's average.
template <class Device>
void check_average_evaluated() {
  reference_machine reference;
  Device device;
  trm::cuda::context<Device> cuda(device);
  const trm::training_options o = device_options();
  reference_trainer a(reference.context, o);
  device_trainer<Device> b(cuda, o);
  begin_weights(a), begin_weights(b);
  for (int s = 0; s < 3; ++s) a.step(examples_of(s).view()), b.step_ahead(examples_of(s).view());
  b.finish();
  trm::solver<device_model, reference_machine::context_type> x(reference.context, device_batch);
  trm::solver<device_model, trm::cuda::context<Device>> y(cuda, device_batch), of_weights(cuda, device_batch);
  const generated_batch examples = examples_of(9);
  x.use(a.ema(), a.weights().constants());
  y.use_on_device(b.ema_on_device(), b.constants_on_device());
  of_weights.use(std::as_const(b).weights());
  x.begin(examples.view(), &a.table());
  y.begin(examples.view(), &b.table()), of_weights.begin(examples.view(), &b.table());
  for (int s = 0; s < 2; ++s) {
    x.step(), y.step(), of_weights.step();
    CHECK(x.samples().predictions == std::as_const(y).samples().predictions);
    CHECK(difference(y.logits(), x.logits()) <= 1e-3);  // as far as the averages may be apart
    CHECK(difference(of_weights.logits(), x.logits()) > 1e-3);
  }
}

/// What the host writes between steps counts: weights, rows of another number, samples.
template <class Device>
void check_host_writes() {
  Device device;
  trm::cuda::context<Device> cuda(device);
  trm::training_options o = device_options();
  o.max_steps = 1;  // all are refilled
  device_trainer<Device> t(cuda, o), fresh(cuda, o);
  begin_weights(t), begin_weights(fresh);
  const generated_batch b = examples_of(0);
  for (int s = 0; s < 3; ++s) t.step(b.view());
  // as a new trainer: weights and rows as they began, moments and number of the step too
  t.resume({});
  std::copy_n(std::as_const(fresh).weights().parameters(), device_model::extent, t.weights().parameters());
  std::fill_n(t.table().data(), t.table().rows() * t.table().width(), 0.0f);
  t.each_state([](const auto&, float* v) { std::fill_n(v, device_model::extent, 0.0f); },
               [](const auto&, const auto&, auto) {});
  const trm::step_report x = t.step(b.view()), y = fresh.step(b.view());
  CHECK(x.metrics.loss() == y.metrics.loss());
  CHECK(x.gradient_norm == y.gradient_norm);
  CHECK(difference(parameters_of(t), parameters_of(fresh)) == 0);
  // more rows than at first
  trm::puzzle_table<float> larger(device_identifiers + 3, device_model::W, device_batch);
  std::fill_n(larger.data(), larger.rows() * larger.width(), 1.0f);
  t.table() = larger;
  generated_batch high = b;
  high.identifiers.assign(device_batch, device_identifiers + 2);
  t.step(high.view());
  CHECK(std::as_const(t).table().rows() == device_identifiers + 3);
  CHECK(std::as_const(t).table().data()[0] == 1);
  CHECK(std::as_const(t).table().data()[(device_identifiers + 2) * device_model::W] != 1);
  t.table() = trm::puzzle_table<float>(device_identifiers, device_model::W + 1, device_batch);
  check_error([&] { t.step(b.view()); }, "puzzle table: its rows have 13 numbers, the model's 12");
}

}  // namespace trm_test
