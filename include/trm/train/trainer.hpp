// SPDX-License-Identifier: MIT
// Training with deep supervision: one optimizer update for each supervision step.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "trm/backend/default_context.hpp"
#include "trm/fwd.hpp"
#include "trm/models/plan.hpp"
#include "trm/optim/puzzle_table.hpp"
#include "trm/train/agreed_options.hpp"
#include "trm/train/collectives.hpp"
#include "trm/train/communicator.hpp"
#include "trm/train/diagnose.hpp"
#include "trm/train/metrics.hpp"
#include "trm/train/run_state.hpp"
#include "trm/train/samples.hpp"
#include "trm/train/step_gradient.hpp"
#include "trm/train/step_report.hpp"
#include "trm/train/training_options.hpp"
#include "trm/train/weights.hpp"
#include "trm/version.hpp"

namespace trm {

/// A trainer of Model on Backend. All memory is taken by the constructor, none by a step.
///
/// With a Communicator of N processes each holds all weights, moments and puzzle rows, and works on its N-th of the samples: rank r
/// on number r * batch / N and following. Gradients, puzzle rows and results of samples are brought together in the order of
/// the samples, so every process makes the same update, with the same bits as one process with gradient_parts = N. All
/// processes make the same calls.
///
///   trm::cpu::context<> device;
///   trm::trainer<model> t(device, {.batch = 32, .puzzle_identifiers = 100});
///   t.initialise(0);
///   t.step({inputs, labels, identifiers});
template <class Model, class Optimizer, class Backend, class Communicator>
class trainer {
 public:
  using model = Model;
  using optimizer = Optimizer;              // of the dense parameters
  using compute = typename Model::compute;  // of states, activations, logits
  using master = typename Model::master;    // of weights, gradients, moments

  /// Throws where the options do not fit one another.
  trainer(Backend& backend, const training_options& options,
          const Optimizer& optimizer = {}) requires std::is_same_v<Communicator, single_process>
      : trainer(backend, options, alone_, optimizer) {}
  /// One process of those of `processes`. Throws as well where they have been given different options.
  trainer(Backend& backend, const training_options& options, Communicator& processes, const Optimizer& optimizer = {})
      : backend_(backend),
        optimizer_(optimizer),
        options_(detail::agreed_options<Model>(options, processes, {"instruction set", name(cpu::current_isa())})),
        group_(processes, options.freeze_weights ? 0 : sum_bytes),
        work_(options_, group_.size()),
        samples_(work_.local, Model::S, Model::P),
        before_(options.undoable ? samples_ : trm::samples()),
        results_(static_cast<std::size_t>(options.batch)),
        identifiers_(results_.size()),
        table_(Model::W == 0 ? 0 : options.puzzle_identifiers, Model::W, options.batch),
        gradient_(Model::extent * sizeof(master)),
        part_gradient_(work_.parts() ? gradient_.size() : 0),
        moments_(options.freeze_weights ? 0 : 2 * Model::extent * sizeof(master)),
        ema_(options.ema_rate > 0 ? Model::extent * sizeof(master) : 0),
        derived_(prepared::bytes(mode::training)),
        rows_(static_cast<std::size_t>(work_.local + options.batch) * Model::W * sizeof(master)),
        carry_memory_(static_cast<std::size_t>(work_.local) * sample_bytes<typename Model::carry>()),
        carry_before_(options.undoable ? carry_memory_.size() : 0),
        output_memory_(static_cast<std::size_t>(work_.local) * sample_bytes<typename Model::outputs>()),
        step_memory_(static_cast<std::size_t>(work_.micro) * sample_bytes<typename Model::training_memory>()),
        gradient_of_(backend, work_,
                     {.parameters = weights_.parameters(),
                      .derived = derived_.data(),
                      .constants = weights_.constants(),
                      .gradient = gradient_.template as<master>(),
                      .part_gradient = part_gradient_.template as<master>(),
                      .carry = carry_memory_.data(),
                      .outputs = output_memory_.data(),
                      .activations = step_memory_.data()}) {
    backend_.template reserve<compute>(count_training_step<Model>(1));
  }
  trainer(const trainer&) = delete;
  trainer& operator=(const trainer&) = delete;

  /// One supervision step of every sample and one update of the weights. Samples that halted at the last step (at first: all)
  /// take their example of `offered`; what is offered to the others is ignored, as published. Of several processes each is offered
  /// its own part, local_batch() samples; the report is of the whole batch.
  /// Throws not_finite_error where a loss or the gradient is not finite; with options.undoable it says where that began, and the
  /// trainer is then as it was before the step.
  step_report step(const batch& offered) {
    forward_backward(offered);
    if (!finite()) {
      const auto first = diagnose();
      undo();
      throw detail::not_finite(step_ + 1, report_, first);
    }
    return update();
  }

  /// The first half of a step: forward, losses, gradients, halting. The weights stay as they are.
  void forward_backward(const batch& offered) {
    if (Model::W > 0) table_.check_width(Model::W);
    detail::check_batch(offered, work_.local, Model::S, Model::V, table_.rows(), true);
    gathered_.clear();
    if (options_.undoable) {
      before_ = samples_;
      std::copy_n(carry_memory_.data(), carry_memory_.size(), carry_before_.data());
    }
    samples_.offer(offered);
    if (table_.rows() > 0) table_.gather(samples_.puzzle_identifiers.data(), work_.local, puzzle_rows());
    if (stale_) refresh();
    gradient_of_.compute(in_memory(), [this](const auto& m, const auto& gradients) {
      gradient_of_.add(m, gradients, options_.max_steps, 1.0 / options_.batch);
      const draw_key key{options_.seed, static_cast<std::uint64_t>(step_ + 1), static_cast<std::uint32_t>(m.number)};
      ops::halt(m.c, Model::rule(options_.max_steps, options_.exploration), key, m.halting, m.steps, m.halted);
    });
    bring_together();
    report_ = {};
    report_.step = step_ + 1;
    for (const sample_result& r : results_) report_.metrics.add(r.tokens, r.halting, r.steps, r.halted != 0);
    report_.gradient_norm = std::sqrt(ops::squared_norm(backend_, gradient_.template as<master>(), Model::extent));
  }
  /// Were the losses and the gradient of the last forward_backward finite?
  bool finite() const { return detail::is_finite(report_); }
  /// Takes the last forward_backward back, if no update followed: samples and carry are as before it. Requires options.undoable.
  void undo() {
    if (!options_.undoable) return;
    samples_ = before_;
    std::copy_n(carry_before_.data(), carry_memory_.size(), carry_memory_.data());
  }
  /// Computes the last forward_backward again, if neither update nor undo followed, and says where the first value that is not finite
  /// appeared; nothing where the samples of this process have none, or without options.undoable. Carry and gradient are left
  /// unfinished: undo() must follow.
  std::optional<non_finite> diagnose() {
    if (!options_.undoable) return std::nullopt;
    std::copy_n(carry_before_.data(), carry_memory_.size(), carry_memory_.data());
    std::optional<non_finite> found;
    gradient_of_.compute(in_memory(), [&](const auto& m, const auto& gradients) {
      if (found) return;
      found = find_non_finite<Model>(m.c, gradient_of_.weights, gradient_of_.constants, gradients, m.in, m.z, m.out,
                                     gradient_of_.activations, {m.steps, options_.max_steps, 1.0 / options_.batch});
      if (found && found->sample >= 0) found->sample += m.number;
    });
    return found;
  }
  /// The second half: optimizer, puzzle rows, EMA, at the learning rates of the schedule.
  step_report update() {
    const double factor = options_.schedule.at(1.0, step_ + 1);
    return update(options_.optimizer.learning_rate * factor, options_.puzzle_learning_rate * factor);
  }
  /// The same at given learning rates.
  step_report update(double learning_rate, double puzzle_learning_rate) {
    ++step_;
    if (options_.ema_rate > 0 && !ema_begun_) begin_ema();
    master* p = weights_.parameters();
    master* g = gradient_.template as<master>();
    if (!options_.freeze_weights) {
      const bool clipped = options_.clip_norm > 0 && report_.gradient_norm > options_.clip_norm;
      const double scale = clipped ? options_.clip_norm / report_.gradient_norm : 1;
      const optimizer_options& o = options_.optimizer;
      master* m = moments_.template as<master>();
      optimizer_.step(backend_, p, m, m + Model::extent, g, Model::extent,
                      adam_step{learning_rate, o.beta1, o.beta2, o.weight_decay, o.epsilon, step_ - moments_since_},
                      scale);
      refresh();
      if (options_.ema_rate > 0) ops::ema(backend_, ema_.template as<master>(), p, Model::extent, options_.ema_rate);
    }
    if (table_.rows() > 0) {
      table_.sign_sgd(identifiers_.data(), puzzle_gradient_data(), options_.batch,
                      sign_step{puzzle_learning_rate, options_.puzzle_weight_decay});
    }
    report_.learning_rate = learning_rate;
    return report_;
  }

  /// The published initialisation of the weights, a function of the seed alone. The average begins again; moments, carry and step
  /// stay as they are.
  void initialise(std::uint64_t seed) {
    weights_.initialise(seed);
    weights_changed();
  }
  /// The weights being trained: zero until initialised, read or written. After writing to them call weights_changed().
  trm::weights<Model>& weights() { return weights_; }
  const trm::weights<Model>& weights() const { return weights_; }
  /// Weights have been written: what is derived from them is made anew, and the average begins again.
  void weights_changed() { stale_ = true, ema_begun_ = false; }
  /// The puzzle rows; no rows where the model has none.
  puzzle_table<master>& table() { return table_; }
  const puzzle_table<master>& table() const { return table_; }
  /// The running average of the parameters, in the layout of weights().parameters(); the parameters themselves without EMA or before a step.
  const master* ema() const { return ema_begun_ ? ema_.template as<master>() : weights_.parameters(); }
  std::span<const master> ema(std::string_view name) const { return trm::weights<Model>::part(ema(), name); }

  // What the last forward_backward left. Shapes [B, ...] with B = local_batch(); of the gradients, those of the whole batch.
  std::span<const master> gradient(std::string_view name) const {
    return trm::weights<Model>::part(gradient_.template as<master>(), name);
  }
  std::span<const master> puzzle_gradient() const {
    return {rows_.template as<master>() + local() * Model::W, results_.size() * Model::W};
  }
  std::span<const compute> logits() const { return {gradient_of_.outputs.logits.data, local() * Model::S * Model::V}; }
  /// The state "H", "L", ... of the schedule, [B, T, D].
  std::span<const compute> state(std::string_view name) const {
    return {gradient_of_.carry.z[detail::number_of_state<Model>(name)].data, local() * Model::L * Model::D};
  }
  /// Samples at hand: data, steps, predictions, results.
  const trm::samples& samples() const { return samples_; }

  // The carry, to be set: states, and of each sample whether it halted, its steps and its data (samples().take).
  std::span<compute> state(std::string_view name) {
    const auto z = std::as_const(*this).state(name);
    return {const_cast<compute*>(z.data()), z.size()};
  }
  trm::samples& samples() { return samples_; }

  /// As used: gradient_parts is at least the number of processes.
  const training_options& options() const { return options_; }
  int local_batch() const { return work_.local; }                 // samples of this process
  long long step_number() const { return step_; }                 // updates done
  const char* optimizer_name() const { return optimizer_.name; }  // as in options

  // The state of a run: with the options, and the data offered, everything that later steps depend on.
  /// Calls dense(prefix, values) for every array in the layout of weights().parameters() but the weights that are evaluated (ema()) - "raw."
  /// where an average is, "moment1.", "moment2." - and sample(name, shape, values) for every array with an entry for each sample of the
  /// whole batch. Of several processes the first may read, after gather_samples(), and all write, each the same.
  template <class Dense, class Sample>
  void each_state(Dense dense, Sample sample) {
    detail::write_run_state<Model>(
        group_, ema_begun_ ? weights_.parameters() : nullptr, moments_.template as<master>(), options_.batch, samples_,
        [this](const char* name) { return state(name); }, dense, sample);
  }
  template <class Dense, class Sample>
  void each_state(Dense dense, Sample sample) const {
    detail::read_run_state<Model>(
        group_, gathered_, ema_begun_ ? weights_.parameters() : nullptr, moments_.template as<master>(), options_.batch,
        samples_, [this](const char* name) { return state(name); }, dense, sample);
  }
  /// Brings the samples of all processes, which all make this call, to the first, where they stay until forward_backward.
  void gather_samples() const {
    detail::gather_run_state<Model>(group_, gathered_, options_.batch, samples_,
                                    [this](const char* name) { return state(name); });
  }
  /// Numbers of that state.
  using counters = run_counters;
  /// Those of now.
  counters count() const { return {step_, moments_since_, ema_begun_, samples_.padded, samples_.prefixed}; }
  /// The other arrays have been written: the next step is c.step + 1.
  void resume(const counters& c) {
    step_ = c.step, moments_since_ = c.moments_since, ema_begun_ = c.averaging && options_.ema_rate > 0;
    samples_.padded = c.padded, samples_.prefixed = c.prefixed;
    stale_ = true;
  }
  /// Where the average of the parameters is, to be written; null without EMA.
  master* average() { return ema_.template as<master>(); }

 private:
  using prepared = typename detail::step_gradient<Model, Backend>::prepared;

  detail::samples_at<master> in_memory() {
    trm::samples& s = samples_;
    return {.first = work_.local * group_.rank(),
            .inputs = s.inputs.data(),
            .labels = s.labels.data(),
            .steps = s.steps.data(),
            .lengths = s.lengths_from(0),
            .prefixes = s.prefixes_from(0),
            .reset = s.reset.data(),
            .halted = s.halted.data(),
            .predictions = s.predictions.data(),
            .token_results = s.token_results.data(),
            .halting = s.halting.data(),
            .puzzle_rows = puzzle_rows(),
            .puzzle_gradient = puzzle_gradient_data()};
  }
  /// Results, gradients and puzzle rows of all processes.
  void bring_together() {
    const auto mine = static_cast<std::size_t>(work_.local * group_.rank());
    for (std::size_t i = 0; i < samples_.steps.size(); ++i) {
      results_[mine + i] = {samples_.token_results[i], samples_.halting[i], samples_.steps[i],
                            samples_.puzzle_identifiers[i], samples_.halted[i]};
    }
    group_.gather(std::span(results_));
    for (std::size_t i = 0; i < results_.size(); ++i) identifiers_[i] = results_[i].puzzle_identifier;
    if (table_.rows() > 0) group_.gather(std::span(puzzle_gradient_data(), results_.size() * Model::W));
    if (!options_.freeze_weights) group_.sum_in_order(std::span(gradient_.template as<master>(), Model::extent));
  }
  void refresh() {
    prepared::refresh(backend_.pool(), gradient_of_.weights);
    stale_ = false;
  }
  void begin_ema() {
    std::copy_n(weights_.parameters(), Model::extent, ema_.template as<master>());
    ema_begun_ = true;
  }
  master* puzzle_rows() { return rows_.template as<master>(); }
  master* puzzle_gradient_data() { return puzzle_rows() + local() * Model::W; }
  std::size_t local() const { return static_cast<std::size_t>(work_.local); }

  /// What is told of each sample to all processes.
  struct sample_result {
    token_result tokens;
    halting_result halting;
    int steps = 0, puzzle_identifier = 0;
    unsigned char halted = 0;
  };
  inline static single_process alone_;

  Backend& backend_;
  [[no_unique_address]] Optimizer optimizer_;
  training_options options_;
  mutable collectives<Communicator> group_;
  mutable detail::gathered_samples gathered_;  // by each_state
  detail::division work_;
  trm::samples samples_, before_;
  std::vector<sample_result> results_;  // [options_.batch]
  std::vector<int> identifiers_;        // [options_.batch]
  trm::weights<Model> weights_;
  puzzle_table<master> table_;
  buffer gradient_, part_gradient_, moments_, ema_, derived_, rows_, carry_memory_, carry_before_, output_memory_,
      step_memory_;
  detail::step_gradient<Model, Backend> gradient_of_;
  bool stale_ = true, ema_begun_ = false;
  long long step_ = 0, moments_since_ = 0;
  step_report report_;
};

}  // namespace trm
