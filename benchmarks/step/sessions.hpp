// SPDX-License-Identifier: MIT
// A training step and a solve of a given model, to be timed.
#pragma once
#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "session.hpp"
#include "trm/io/weights.hpp"
#include "trm/models/model.hpp"
#include "trm/models/plan.hpp"
#include "trm/train/solver.hpp"
#include "trm/train/trainer.hpp"

namespace trm_benchmark {

inline constexpr int supervision_steps = 16;
inline constexpr std::size_t puzzles = 8;  // rows of the puzzle table

/// The published configuration (arXiv 2510.04871).
constexpr trm::config paper(int tokens, int vocab, int l_cycles) {
  return {.tokens = tokens,
          .vocab = vocab,
          .hidden = 512,
          .heads = 8,
          .h_cycles = 3,
          .l_cycles = l_cycles,
          .puzzle_positions = 16,
          .puzzle_width = 512};
}

/// hidden 128, 4 heads, H 2, L 3, 16 tokens.
constexpr trm::config small(int puzzle_positions) {
  return {.tokens = 16,
          .vocab = 12,
          .hidden = 128,
          .heads = 4,
          .h_cycles = 2,
          .l_cycles = 3,
          .puzzle_positions = puzzle_positions,
          .puzzle_width = 128 * puzzle_positions};
}

/// Random samples; every token is supervised.
template <class M>
struct random_batch {
  explicit random_batch(int batch) : identifiers(static_cast<std::size_t>(batch)) {
    const trm::draws from = trm::philox{1}.at(trm::purpose::user);
    std::uint64_t n = 0;
    const auto draw = [&](int limit) { return static_cast<int>(from.below(static_cast<std::uint64_t>(limit), n++)); };
    inputs.resize(identifiers.size() * M::S), labels.resize(inputs.size());
    for (int& token : inputs) token = draw(M::V);
    for (int& token : labels) token = draw(M::V);
    for (int& id : identifiers) id = draw(static_cast<int>(puzzles));
  }
  trm::batch view() const { return {inputs, labels, identifiers}; }
  std::vector<int> inputs, labels, identifiers;
};

/// Values for puzzle rows that training would have given: the published ones begin at zero.
template <class T>
void fill(std::span<T> values, double deviation, std::uint32_t stream) {
  const trm::draws from = trm::philox{2}.at(trm::purpose::user, stream);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(from.truncated_normal(deviation, i));
}

template <class M>
class training final : public session {
 public:
  explicit training(const request& r) : device_(r.threads), trainer_(device_, options(r.batch)), data_(r.batch) {
    trainer_.initialise(0);
    fill(std::span(trainer_.table().data(), puzzles * M::W), 0.1, 0);
  }
  double run() override { return trainer_.step(data_.view()).metrics.loss(); }
  double flops() const override { return trm::plan<M>(trainer_.local_batch()).flops; }
  std::size_t planned_bytes() const override {
    trm::memory_plan p = trm::plan<M>(trainer_.local_batch());
    p.ema = 0;  // not kept here
    return p.total();
  }
  void record(const std::string& path) override {
    // As it begins, the Q head gives no gradient to what is before it.
    fill(trainer_.weights()["model.inner.q_head.weight"], 0.05, 1);
    trainer_.weights_changed();
    trm::safetensors_writer out;
    std::vector<std::vector<float>> kept;  // the writer takes no copies
    const auto add = [&](const std::string& name, const auto& values, std::vector<std::int64_t> shape = {}) {
      if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
      kept.emplace_back(values.begin(), values.end());
      out.add(name, std::move(shape), std::span<const float>(kept.back()));
    };
    const auto add_weights = [&](const std::string& prefix) {
      std::as_const(trainer_).weights().each([&](const trm::parameter_entry& e, auto values) {
        add(prefix + std::string(e.name()), values, {e.extents, e.extents + e.rank});
      });
      add(prefix + M::puzzle_table_name, std::span(trainer_.table().data(), puzzles * M::W), {puzzles, M::W});
    };
    add_weights("before.");
    out.add("inputs", {trainer_.local_batch(), M::S}, std::span<const int>(data_.inputs));
    out.add("labels", {trainer_.local_batch(), M::S}, std::span<const int>(data_.labels));
    out.add("identifiers", {trainer_.local_batch()}, std::span<const int>(data_.identifiers));
    for (const std::string at : {"step1.", "step2."}) {
      trainer_.forward_backward(data_.view());
      add(at + "logits", trainer_.logits(), {trainer_.local_batch(), M::S, M::V});
      for (const auto& p : M::table) add(at + "gradient." + std::string(p.name()), trainer_.gradient(p.name()));
      add(at + "gradient.puzzle", trainer_.puzzle_gradient());
      const trm::step_metrics m = trainer_.update().metrics;
      add(at + "loss", std::vector<double>{m.loss()});
      add_weights(at);
    }
    out.save(path);
  }

 private:
  static trm::training_options options(int batch) {
    return {.batch = batch, .max_steps = supervision_steps, .exploration = 0.1, .puzzle_identifiers = puzzles};
  }
  trm::cpu::context<> device_;
  trm::trainer<M> trainer_;
  random_batch<M> data_;
};

template <class M>
class solving final : public session {
 public:
  explicit solving(const request& r) : device_(r.threads), solver_(device_, 1), table_(puzzles, M::W, 1), data_(1) {
    weights_.initialise(0);
    fill(std::span(table_.data(), puzzles * M::W), 0.1, 0);
    solver_.use(weights_);
  }
  double run() override {
    solver_.begin(data_.view(), &table_);
    for (int i = 0; i < supervision_steps; ++i) solver_.step();
    return solver_.metrics().lm_loss;
  }
  double flops() const override { return supervision_steps * trm::inference_plan<M>(1).flops; }
  std::size_t planned_bytes() const override { return trm::inference_plan<M>(1).total(); }
  void record(const std::string& path) override { throw trm::error(path, "only --what train is recorded"); }

 private:
  trm::cpu::context<> device_;
  trm::solver<M> solver_;
  trm::weights<M> weights_;
  trm::puzzle_table<typename M::master> table_;
  random_batch<M> data_;
};

/// Solves: also --what solve is compiled.
template <trm::config C, bool Solves>
std::unique_ptr<session> make_session(const request& r) {
  const auto make = [&]<class T>(std::type_identity<T>) -> std::unique_ptr<session> {
    using M = trm::model<C, T>;
    if (r.what == "train") return std::make_unique<training<M>>(r);
    if constexpr (Solves) return std::make_unique<solving<M>>(r);
    throw trm::error("--what " + r.what, "is not compiled for model " + r.model);
  };
  return r.type == "bf16" ? make(std::type_identity<trm::bf16>{}) : make(std::type_identity<float>{});
}

}  // namespace trm_benchmark
