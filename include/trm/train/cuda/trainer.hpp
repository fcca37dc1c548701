// SPDX-License-Identifier: MIT
// Training on a device: a step is one captured graph, and its state stays on the device until somebody asks for it.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "trm/backend/cuda/context.hpp"
#include "trm/fwd.hpp"
#include "trm/train/agreed_options.hpp"
#include "trm/train/cuda/collectives.hpp"
#include "trm/train/cuda/find_non_finite.hpp"
#include "trm/train/cuda/step_messages.hpp"
#include "trm/train/cuda/step_work.hpp"
#include "trm/train/cuda/training_memory.hpp"
#include "trm/train/run_state.hpp"
#include "trm/train/step_report.hpp"

namespace trm {

/// trm::trainer on a CUDA device, with the same calls and the same meaning. What is different:
///
/// - Weights, average, moments, gradients, table, carry and samples live on the device. weights(), ema(), table(), samples(), state()
///   and the like copy to the host what has changed there since the last call, which waits for the device; what the calls that are not
///   const return is taken back to the device before the next step. A reference that is kept shows the state of the call that gave it.
/// - The first step is done operation by operation, the second is captured, from then on a step is one launch (two, with a communicator
///   that cannot send memory of the device, and its values pass the host). Where the first examples with lengths or prefixes come, it is captured again.
/// - step() waits for the report of its step, so the device rests while the host makes the next batch. step_ahead() returns at once
///   with the report of the step before: batches are copied while a step runs.
/// - A step whose loss or gradient is not finite leaves weights, average, moments and table as they were, also where later steps have
///   been asked for by then: these do nothing either. update() after forward_backward() likewise.
/// - diagnose() looks at what the device keeps, and names no operation.
template <class Model, class Optimizer, class Device, class Communicator>
class trainer<Model, Optimizer, cuda::context<Device>, Communicator> {
 public:
  using model = Model;                      // what is trained
  using optimizer = Optimizer;              // of the dense parameters
  using compute = typename Model::compute;  // of states, activations, logits
  using master = typename Model::master;    // of weights, gradients, moments
  using backend = cuda::context<Device>;    // what computes

  /// Throws where the options do not fit one another, or the device has not the memory.
  trainer(backend& b, const training_options& options,
          const Optimizer& optimizer = {}) requires std::is_same_v<Communicator, single_process>
      : trainer(b, options, alone_, optimizer) {}
  /// One process of those of `processes`. Throws as well where they have been given different options.
  trainer(backend& b, const training_options& options, Communicator& processes, const Optimizer& optimizer = {})
      : device_(b.device()),
        options_(detail::agreed_options<Model>(options, processes, {"device", "cuda"})),
        group_(device_, processes, options.freeze_weights ? 0 : Model::extent * sizeof(master),
               std::max(batch() * sizeof(cuda::sample_result), batch() * Model::W * sizeof(master))),
        samples_(options_, group_.size()),
        memory_(device_, options_, samples_, group_.rank()),
        orders_(device_, samples_.local, Model::S),
        reports_(device_),
        work_(b, options_, samples_, optimizer, memory_, orders_, reports_, group_) {
    orders_.go_ahead();
  }
  trainer(const trainer&) = delete;
  trainer& operator=(const trainer&) = delete;
  ~trainer() {
    try {
      device_.synchronize();  // before its memory goes
    } catch (...) {           // whatever failed has been said, or is of no interest any more
    }
  }

  /// As trm::trainer::step; waits for the report. Throws not_finite_error where a loss or the gradient is not finite; with
  /// options.undoable the trainer is then as it was before the step.
  step_report step(const batch& offered) {
    finish();
    ask(offered);
    return settle(step_);
  }
  /// Asks for the step and returns at once, with the report of the step before (none at first). `offered` is free again. Throws
  /// not_finite_error of the step before: the one asked for now has then changed nothing, and with options.undoable all is as it
  /// was before the step that failed.
  std::optional<step_report> step_ahead(const batch& offered) {
    std::optional<step_report> last;
    const long long waiting = asked_ ? step_ : 0;
    ask(offered);
    if (waiting > 0) last = settle(waiting);
    asked_ = true;
    return last;
  }
  /// Waits for the step that step_ahead() has asked for last and returns its report; none where nothing is left. Everything but
  /// step_ahead() begins with it.
  std::optional<step_report> finish() {
    if (!asked_) return std::nullopt;
    return settle(step_);
  }

  /// The first half of a step: forward, losses, gradients, halting. The weights stay as they are.
  void forward_backward(const batch& offered) {
    finish();
    begin(offered);
    send_numbers(0, 0);
    work_.gradient();
    reports_.ask(step_ + 1);
    receive(step_ + 1);
    memory_.changed_on_device(false, options_.freeze_weights);
  }
  /// Were the losses and the gradient of the last forward_backward finite?
  bool finite() const { return detail::is_finite(last_); }
  /// Takes the last forward_backward back, if no update followed: samples and carry are as before it. Requires options.undoable.
  void undo() {
    if (!options_.undoable) return;
    reports_.forget_failure();
    memory_.undo(device_);
  }
  /// Where the first value that is not finite is, of what the device keeps of the last forward_backward: weights, initial states, puzzle
  /// rows and carry before the step; then states, logits, Q values and losses; then gradients. Nothing where there is none.
  std::optional<non_finite> diagnose() {
    return options_.undoable ? cuda::find_non_finite(device_, memory_) : std::nullopt;
  }
  /// The second half: optimizer, puzzle rows, EMA, at the learning rates of the schedule.
  step_report update() {
    const double factor = options_.schedule.at(1.0, step_ + 1);
    return update(options_.optimizer.learning_rate * factor, options_.puzzle_learning_rate * factor);
  }
  /// The same at given learning rates.
  step_report update(double learning_rate, double puzzle_learning_rate) {
    begin_average();
    send();
    send_numbers(learning_rate, puzzle_learning_rate);
    work_.update();
    ++step_;
    memory_.changed_on_device(true, options_.freeze_weights);
    last_.learning_rate = learning_rate;
    return last_;
  }

  /// The published initialisation of the weights, a function of the seed alone. The average begins again; moments, carry and step
  /// stay as they are.
  void initialise(std::uint64_t seed) {
    weights().initialise(seed);
    weights_changed();
  }
  /// The weights being trained, as of now. After writing to them call weights_changed().
  trm::weights<Model>& weights() {
    finish();
    memory_.parameters.template write<master>(), memory_.constants.template write<master>();
    return memory_.weights;
  }
  const trm::weights<Model>& weights() const {
    memory_.parameters.template read<master>(), memory_.constants.template read<master>();
    return memory_.weights;
  }
  /// Weights have been written: the average begins again.
  void weights_changed() { averaging_ = false; }
  /// The puzzle rows, as of now; no rows where the model has none.
  puzzle_table<master>& table() {
    finish();
    return memory_.table.write();
  }
  const puzzle_table<master>& table() const { return memory_.table.read(); }
  /// The running average of the parameters, as of now; the parameters themselves without EMA or before a step.
  const master* ema() const { return evaluated().template read<master>(); }
  std::span<const master> ema(std::string_view name) const { return trm::weights<Model>::part(ema(), name); }
  /// Where the parameters that are evaluated and the constants are on the device: for a solver beside this trainer, after finish().
  const master* ema_on_device() {
    send();
    return evaluated().template on_device<master>();
  }
  /// Likewise.
  const master* constants_on_device() {
    send();
    return memory_.constants.template on_device<master>();
  }

  // What the last forward_backward left. Shapes [B, ...] with B = local_batch(); of the gradients, those of the whole batch.
  std::span<const master> gradient(std::string_view name) const {
    return trm::weights<Model>::part(memory_.gradient.template read<master>(), name);
  }
  std::span<const master> puzzle_gradient() const { return memory_.puzzle_gradient_on_host(); }
  std::span<const compute> logits() const { return memory_.logits(); }
  /// The state "H", "L", ... of the schedule, [B, T, D].
  std::span<const compute> state(std::string_view name) const { return memory_.state(name); }
  /// Samples at hand: data, steps, predictions, results.
  const trm::samples& samples() const { return memory_.samples.read(); }

  // The carry, to be set: states, and of each sample whether it halted, its steps and its data (samples().take).
  std::span<compute> state(std::string_view name) {
    finish();
    return memory_.state(name);
  }
  trm::samples& samples() {
    finish();
    return memory_.samples.write();
  }

  /// As used: gradient_parts is at least the number of processes.
  const training_options& options() const { return options_; }
  int local_batch() const { return samples_.local; }                     // samples of this process
  long long step_number() const { return step_; }                        // updates done, or asked for
  const char* optimizer_name() const { return work_.optimizer_name(); }  // as in options
  /// Is a step replayed as one graph by now?
  bool captured() const { return work_.captured(); }

  // The state of a run: as of trm::trainer, whose checkpoints this one reads, and the other way round.
  template <class Dense, class Sample>
  void each_state(Dense dense, Sample sample) {
    finish();
    detail::write_run_state<Model>(
        group_, averaging_ ? memory_.parameters.template write<master>() : nullptr,
        memory_.moments.template write<master>(), options_.batch, samples(),
        [this](const char* name) { return state(name); }, dense, sample);
  }
  template <class Dense, class Sample>
  void each_state(Dense dense, Sample sample) const {
    detail::read_run_state<Model>(
        group_, gathered_, averaging_ ? memory_.parameters.template read<master>() : nullptr,
        memory_.moments.template read<master>(), options_.batch, samples(),
        [this](const char* name) { return state(name); }, dense, sample);
  }
  /// Brings the samples of all processes, which all make this call, to the first, where they stay until the next step.
  void gather_samples() const {
    detail::gather_run_state<Model>(group_.on_host(), gathered_, options_.batch, samples(),
                                    [this](const char* name) { return state(name); });
  }
  /// Numbers of that state.
  using counters = run_counters;
  /// Those of now.
  counters count() const {
    return {step_, moments_since_, averaging_, memory_.samples.padded(), memory_.samples.prefixed()};
  }
  /// The other arrays have been written, or will be: the next step is c.step + 1.
  void resume(const counters& c) {
    finish();
    step_ = c.step, moments_since_ = c.moments_since, averaging_ = c.averaging && options_.ema_rate > 0;
    take_kinds(c.padded, c.prefixed);
  }
  /// Where the average of the parameters is, to be written; null without EMA.
  master* average() { return memory_.average.template write<master>(); }

 private:
  /// A step, asked for: its report will come.
  void ask(const batch& offered) {
    begin(offered);
    const double factor = options_.schedule.at(1.0, step_ + 1);
    const double rate = options_.optimizer.learning_rate * factor;
    averaged_before_ = averaging_;
    begin_average();
    send_numbers(rate, options_.puzzle_learning_rate * factor);
    orders_.go_ahead();
    work_.step();
    ++step_;
    rates_[cuda::step_orders<Device>::place(step_)] = rate;
    reports_.ask(step_);
    memory_.changed_on_device(true, options_.freeze_weights);
  }
  /// The report of `step`, which is the last one that was asked for, or the one before.
  step_report settle(long long step) {
    asked_ = false;
    if (receive(step)) return last_;
    device_.synchronize();
    step_ = step - 1, averaging_ = averaged_before_;
    const auto first = diagnose();
    undo();
    reports_.forget_failure();
    throw detail::not_finite(step, last_, first);
  }
  /// Was it finite?
  bool receive(long long step) {
    const cuda::device_report& r = reports_.wait(step, group_);
    last_ = {step, rates_[cuda::step_orders<Device>::place(step)], r.gradient_norm, r.metrics};
    return r.finite != 0;
  }
  /// The examples are on their way, and all that the host has written is on the device.
  void begin(const batch& offered) {
    detail::check_batch(offered, samples_.local, Model::S, Model::V, memory_.table.rows_checked(Model::W), true);
    gathered_.clear();
    take_kinds(memory_.samples.padded() || !offered.lengths.empty(),
               memory_.samples.prefixed() || !offered.prefixes.empty());
    send();
    orders_.send(step_ + 1, offered, Model::P);
  }
  void send() {
    const bool weights = memory_.parameters.send();
    memory_.constants.send(), memory_.moments.send(), memory_.average.send(), memory_.carry.send();
    memory_.samples.send();
    if (memory_.table.send()) work_.changed();
    if (weights || !refreshed_) work_.refresh();
    refreshed_ = true;
  }
  /// The numbers of the next step.
  void send_numbers(double rate, double puzzle_rate) {
    const optimizer_options& o = options_.optimizer;
    const long long t = std::max(1LL, step_ + 1 - moments_since_);
    orders_.send({.seed = options_.seed,
                  .step = static_cast<std::uint64_t>(step_ + 1),
                  .adam = cuda::factors_of(adam_step{rate, o.beta1, o.beta2, o.weight_decay, o.epsilon, t}),
                  .puzzle = {puzzle_rate, options_.puzzle_weight_decay},
                  .clip_norm = options_.clip_norm});
  }
  /// Whether lengths and prefixes count; what is captured knows.
  void take_kinds(bool padded, bool prefixed) {
    if (memory_.samples.take_kinds(padded, prefixed)) work_.changed();
  }
  void begin_average() {
    if (options_.ema_rate == 0 || averaging_) return;
    send();
    device_.copy(memory_.average.template on_device<std::byte>(), memory_.parameters.template on_device<std::byte>(),
                 memory_.average.size());
    memory_.average.changed_on_device();
    averaging_ = true;
  }
  /// The parameters that are evaluated.
  const cuda::mirror<Device>& evaluated() const { return averaging_ ? memory_.average : memory_.parameters; }
  std::size_t batch() const { return static_cast<std::size_t>(options_.batch); }

  inline static single_process alone_;

  Device& device_;
  training_options options_;
  mutable cuda::device_collectives<Device, Communicator> group_;
  mutable detail::gathered_samples gathered_;  // by each_state
  detail::division samples_;
  cuda::training_memory<Model, Device> memory_;
  cuda::step_orders<Device> orders_;
  cuda::step_reports<Device> reports_;
  cuda::step_work<Model, Optimizer, Device, Communicator> work_;
  bool refreshed_ = false, asked_ = false;            // weights are prepared; a report is to come
  bool averaging_ = false, averaged_before_ = false;  // the EMA has begun; it had before the last step
  long long step_ = 0, moments_since_ = 0;
  double rates_[2] = {0, 0};  // learning rates of the last two steps
  step_report last_;
};

}  // namespace trm
