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
#include "trm/train/training_options.hpp"
#include "trm/train/weights.hpp"
#include "trm/version.hpp"

namespace trm {

/// What a step reports.
struct step_report {
  long long step = 0;
  double learning_rate = 0;  // the one used
  double gradient_norm = 0;  // of the dense parameters, before clipping
  step_metrics metrics;      // of the samples that halted, over all processes
};

/// A loss or the gradient of a step is not finite.
class not_finite_error : public error {
 public:
  using error::error;
  /// Was everything finite before the step? Otherwise the last update, or what was loaded, is at fault, and the state is not worth
  /// keeping.
  bool state_finite = true;
};

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
        local_(options_.batch / group_.size()),
        part_(options_.batch / options_.gradient_parts),
        micro_(options.micro_batch == 0 ? part_ : options.micro_batch),
        samples_(local_, Model::S, Model::P),
        before_(options.undoable ? samples_ : trm::samples()),
        results_(static_cast<std::size_t>(options.batch)),
        identifiers_(results_.size()),
        table_(Model::W == 0 ? 0 : options.puzzle_identifiers, Model::W, options.batch),
        gradient_(Model::extent * sizeof(master)),
        part_gradient_(part_ < local_ ? gradient_.size() : 0),
        moments_(options.freeze_weights ? 0 : 2 * Model::extent * sizeof(master)),
        ema_(options.ema_rate > 0 ? Model::extent * sizeof(master) : 0),
        derived_(prepared::bytes(mode::training)),
        rows_(static_cast<std::size_t>(local_ + options.batch) * Model::W * sizeof(master)),
        carry_memory_(static_cast<std::size_t>(local_) * sample_bytes<typename Model::carry>()),
        carry_before_(options.undoable ? carry_memory_.size() : 0),
        output_memory_(static_cast<std::size_t>(local_) * sample_bytes<typename Model::outputs>()),
        step_memory_(static_cast<std::size_t>(micro_) * sample_bytes<typename Model::training_memory>()),
        bound_(prepared::bind(weights_.parameters(), derived_.data(), mode::training)),
        constants_(bind_parameters<Model::template constants, master>(weights_.constants())),
        gradients_(bind_parameters<Model::template params, master>(gradient_.template as<master>())),
        part_gradients_(bind_parameters<Model::template params, master>(
            (part_ < local_ ? part_gradient_ : gradient_).template as<master>())),
        carry_(bind_activations<typename Model::carry>(carry_memory_.data(), static_cast<std::size_t>(local_))),
        outputs_(bind_activations<typename Model::outputs>(output_memory_.data(), static_cast<std::size_t>(local_))),
        memory_(
            bind_activations<typename Model::training_memory>(step_memory_.data(), static_cast<std::size_t>(micro_))) {
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
      std::string what = std::isfinite(report_.metrics.loss()) ? "the gradient" : "the loss";
      what += " is not finite";
      const auto first = diagnose();
      if (first) what += ": " + first->text();
      undo();
      not_finite_error e("step " + std::to_string(step_ + 1), what);
      e.state_finite = !first || !first->before_step;
      throw e;
    }
    return update();
  }

  /// The first half of a step: forward, losses, gradients, halting. The weights stay as they are.
  void forward_backward(const batch& offered) {
    if (Model::W > 0) table_.check_width(Model::W);
    detail::check_batch(offered, local_, Model::S, Model::V, table_.rows(), true);
    gathered_.clear();
    if (options_.undoable) {
      before_ = samples_;
      std::copy_n(carry_memory_.data(), carry_memory_.size(), carry_before_.data());
    }
    samples_.offer(offered);
    if (table_.rows() > 0) table_.gather(samples_.puzzle_identifiers.data(), local_, puzzle_rows());
    if (stale_) refresh();
    compute_gradient([this](int first, const dense_gradients& gradients) { run(first, gradients); });
    bring_together();
    report_ = {};
    report_.step = step_ + 1;
    for (const sample_result& r : results_) report_.metrics.add(r.tokens, r.halting, r.steps, r.halted != 0);
    report_.gradient_norm = std::sqrt(ops::squared_norm(backend_, gradient_.template as<master>(), Model::extent));
  }
  /// Were the losses and the gradient of the last forward_backward finite?
  bool finite() const { return std::isfinite(report_.metrics.loss()) && std::isfinite(report_.gradient_norm); }
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
    compute_gradient([&](int first, const dense_gradients& gradients) {
      if (found) return;
      const part_of_batch p = micro_batch(first);
      found = find_non_finite<Model>(p.c, bound_, constants_, gradients, p.in, p.z, p.out, memory_,
                                     {samples_.steps.data() + first, options_.max_steps, 1.0 / options_.batch});
      if (found && found->sample >= 0) found->sample += p.number;
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
    return {rows_.template as<master>() + static_cast<std::size_t>(local_) * Model::W, results_.size() * Model::W};
  }
  std::span<const compute> logits() const {
    return {outputs_.logits.data, static_cast<std::size_t>(local_) * Model::S * Model::V};
  }
  /// The state "H", "L", ... of the schedule, [B, T, D].
  std::span<const compute> state(std::string_view name) const {
    for (std::size_t i = 0; i < Model::core::state_count; ++i) {
      if (name == Model::schedule::states[i])
        return {carry_.z[i].data, static_cast<std::size_t>(local_) * Model::L * Model::D};
    }
    throw error(std::string(name), "the schedule has no such state");
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
  int local_batch() const { return local_; }                      // samples of this process
  long long step_number() const { return step_; }                 // updates done
  const char* optimizer_name() const { return optimizer_.name; }  // as in options

  // The state of a run: with the options, and the data offered, everything that later steps depend on.
  /// Calls dense(prefix, values) for every array in the layout of weights().parameters() but the weights that are evaluated (ema()) - "raw."
  /// where an average is, "moment1.", "moment2." - and sample(name, shape, values) for every array with an entry for each sample of the
  /// whole batch. Of several processes the first may read, after gather_samples(), and all write, each the same.
  template <class Dense, class Sample>
  void each_state(Dense dense, Sample sample) {
    state_of(*this, dense, sample);
  }
  template <class Dense, class Sample>
  void each_state(Dense dense, Sample sample) const {
    std::size_t next = 0;
    auto whole = [&](const std::string& name, std::vector<std::int64_t> shape, auto values) {
      if (group_.size() > 1) values = gathered_.whole(next++, values);
      sample(name, std::move(shape), values);
    };
    state_of(*this, dense, whole);
  }
  /// Brings the samples of all processes, which all make this call, to the first, where they stay until forward_backward.
  void gather_samples() const {
    gathered_.clear();
    if (group_.size() == 1) return;
    auto none = [](const auto&, const auto*) {};
    auto gather = [this](const auto&, const auto&, auto values) { gathered_.add(group_, values); };
    state_of(*this, none, gather);
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
  using prepared = typename Backend::template prepared<compute, Model::template params>;
  using bound_weights = typename Model::template params<typename Backend::template weight<compute>>;
  using dense_gradients = typename Model::template params<master>;

  template <class Self, class Dense, class Sample>
  static void state_of(Self& t, Dense& dense, Sample& sample) {
    const auto part = [&](const std::string& name, std::vector<std::int64_t> shape, auto values) {
      if constexpr (std::is_const_v<Self>) {
        sample(name, std::move(shape), values);
      } else {
        detail::write_own_part(t.group_, name, std::move(shape), values, sample);
      }
    };
    detail::visit_run_state<Model>(
        t.ema_begun_ ? t.weights_.parameters() : nullptr, t.moments_.template as<master>(), t.options_.batch,
        t.samples_, [&](const char* name) { return t.state(name); }, dense, part);
  }
  /// The gradient of the samples of this process: of its parts, one after the other. run(first sample, gradients) adds that of
  /// a micro-batch.
  template <class Run>
  void compute_gradient(Run run) {
    master* sum = gradient_.template as<master>();
    ops::clear(backend_, sum, Model::extent);
    for (int first = 0; first < part_; first += micro_) run(first, gradients_);
    for (int part = part_; part < local_; part += part_) {
      master* next = part_gradient_.template as<master>();
      ops::clear(backend_, next, Model::extent);
      for (int first = part; first < part + part_; first += micro_) run(first, part_gradients_);
      ops::add(backend_, sum, next, Model::extent);
    }
  }
  /// Results, gradients and puzzle rows of all processes.
  void bring_together() {
    const auto mine = static_cast<std::size_t>(local_ * group_.rank());
    for (std::size_t i = 0; i < samples_.steps.size(); ++i) {
      results_[mine + i] = {samples_.token_results[i], samples_.halting[i], samples_.steps[i],
                            samples_.puzzle_identifiers[i], samples_.halted[i]};
    }
    group_.gather(std::span(results_));
    for (std::size_t i = 0; i < results_.size(); ++i) identifiers_[i] = results_[i].puzzle_identifier;
    if (table_.rows() > 0) group_.gather(std::span(puzzle_gradient_data(), results_.size() * Model::W));
    if (!options_.freeze_weights) group_.sum_in_order(std::span(gradient_.template as<master>(), Model::extent));
  }
  /// A micro-batch's part of everything.
  struct part_of_batch {
    call<Backend> c;
    typename Model::carry z;
    typename Model::outputs out;
    int number;  // of its first sample in the whole batch
    step_input<master> in;
  };
  part_of_batch micro_batch(int first) {
    const auto tokens = static_cast<std::ptrdiff_t>(first) * Model::S;
    const int number = local_ * group_.rank() + first;
    const auto row = static_cast<std::ptrdiff_t>(first) * Model::W,
               global_row = static_cast<std::ptrdiff_t>(number) * Model::W;
    return {{backend_, micro_, Model::L, samples_.lengths_from(first), samples_.prefixes_from(first)},
            carry_.from_sample(first, Model::L),
            {outputs_.logits.from_sample(first, Model::S), outputs_.q.from_sample(first, 1)},
            number,
            {samples_.inputs.data() + tokens, samples_.labels.data() + tokens, puzzle_rows() + row,
             puzzle_gradient_data() + global_row, samples_.reset.data() + first}};
  }
  void run(int first, const dense_gradients& gradients) {
    const auto [c, z, out, number, in] = micro_batch(first);
    Model::forward(c, bound_, constants_, in, z, out, memory_);
    Model::probe(c, bound_, z, memory_);
    halting_result* q = samples_.halting.data() + first;
    const int* steps = samples_.steps.data() + first;
    Model::losses(c, in, out, steps, options_.max_steps, 1.0 / options_.batch, memory_,
                  samples_.predictions.data() + static_cast<std::ptrdiff_t>(first) * Model::S,
                  samples_.token_results.data() + first, q);
    Model::backward(c, bound_, gradients, in, z, out, memory_);
    const draw_key key{options_.seed, static_cast<std::uint64_t>(step_ + 1), static_cast<std::uint32_t>(number)};
    ops::halt(c, Model::rule(options_.max_steps, options_.exploration), key, q, steps, samples_.halted.data() + first);
  }
  void refresh() {
    prepared::refresh(backend_.pool(), bound_);
    stale_ = false;
  }
  void begin_ema() {
    std::copy_n(weights_.parameters(), Model::extent, ema_.template as<master>());
    ema_begun_ = true;
  }
  master* puzzle_rows() { return rows_.template as<master>(); }
  master* puzzle_gradient_data() { return puzzle_rows() + static_cast<std::size_t>(local_) * Model::W; }

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
  int local_, part_, micro_;  // samples of this process, of a part of the gradient, worked through at once
  trm::samples samples_, before_;
  std::vector<sample_result> results_;  // [options_.batch]
  std::vector<int> identifiers_;        // [options_.batch]
  trm::weights<Model> weights_;
  puzzle_table<master> table_;
  buffer gradient_, part_gradient_, moments_, ema_, derived_, rows_, carry_memory_, carry_before_, output_memory_,
      step_memory_;
  bound_weights bound_;
  typename Model::template constants<master> constants_;
  dense_gradients gradients_, part_gradients_;
  typename Model::carry carry_;
  typename Model::outputs outputs_;
  typename Model::training_memory memory_;
  bool stale_ = true, ema_begun_ = false;
  long long step_ = 0, moments_since_ = 0;
  step_report report_;
};

}  // namespace trm
