// SPDX-License-Identifier: MIT
// Training on a device: a step is one captured graph, and its state stays on the device until somebody asks for it.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "trm/backend/cuda/context.hpp"
#include "trm/backend/cuda/mirror.hpp"
#include "trm/backend/cuda/repeated.hpp"
#include "trm/backend/cuda/table.hpp"
#include "trm/train/agreed_options.hpp"
#include "trm/train/cuda/collectives.hpp"
#include "trm/train/cuda/find_non_finite.hpp"
#include "trm/train/cuda/samples.hpp"
#include "trm/train/cuda/step_results.hpp"
#include "trm/train/run_state.hpp"
#include "trm/train/trainer.hpp"

namespace trm::cuda::detail {

/// A context as dense optimizers see it in a captured step: their numbers are in the step's state.
template <class Device>
struct optimizer_by_state {
  context<Device>& backend;
  const step_state* state;

  template <class T>
  void adam_atan2(T* p, T* m, T* v, const T* g, std::size_t n, adam_step, double) {
    backend.adam_atan2(p, m, v, g, n, state);
  }
  template <class T>
  void adamw(T* p, T* m, T* v, const T* g, std::size_t n, adam_step, double) {
    backend.adamw(p, m, v, g, n, state);
  }
};

}  // namespace trm::cuda::detail

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
      : backend_(b),
        device_(b.device()),
        optimizer_(optimizer),
        options_(trm::detail::agreed_options<Model>(options, processes, {"device", "cuda"})),
        group_(device_, processes, options.freeze_weights ? 0 : Model::extent * sizeof(master),
               std::max(batch() * sizeof(cuda::sample_result), batch() * Model::W * sizeof(master))),
        local_(options_.batch / group_.size()),
        part_(options_.batch / options_.gradient_parts),
        micro_(options.micro_batch == 0 ? part_ : options.micro_batch),
        samples_(device_, local_, Model::S),
        host_samples_(local_, Model::S, Model::P),
        offered_(device_, 2 * offered_ints() * sizeof(int)),
        offered_on_host_(device_, offered_.size()),
        results_(device_, batch() * sizeof(cuda::sample_result)),
        identifiers_(device_, batch() * sizeof(int)),
        state_(device_, sizeof(cuda::step_state)),
        states_(device_, 2 * sizeof(cuda::step_state)),
        states_on_host_(device_, states_.size()),
        report_(device_, sizeof(cuda::device_report)),
        reports_on_host_(device_, 2 * sizeof(cuda::device_report)),
        parameters_(device_, Model::extent * sizeof(master), weights_.parameters()),
        initial_(device_, Model::constant_extent * sizeof(master), weights_.constants()),
        table_(device_, Model::W == 0 ? 0 : options.puzzle_identifiers, Model::W, options_.batch),
        gradient_(device_, Model::extent * sizeof(master)),
        part_gradient_(device_, part_ < local_ ? gradient_.size() : 0),
        moments_(device_, options.freeze_weights ? 0 : 2 * Model::extent * sizeof(master)),
        ema_(device_, options.ema_rate > 0 ? Model::extent * sizeof(master) : 0),
        derived_(device_, prepared::bytes(mode::training)),
        rows_(device_, static_cast<std::size_t>(local_ + options.batch) * Model::W * sizeof(master)),
        carry_memory_(device_, static_cast<std::size_t>(local_) * sample_bytes<typename Model::carry>()),
        output_memory_(device_, static_cast<std::size_t>(local_) * sample_bytes<typename Model::outputs>()),
        step_memory_(device_, static_cast<std::size_t>(micro_) * sample_bytes<typename Model::training_memory>()),
        before_(device_, options.undoable ? carry_memory_.size() + samples_.size() : 0),
        bound_(prepared::bind(parameters_.template on_device<master>(), derived_.data(), mode::training)),
        constants_(bind_parameters<Model::template constants, master>(initial_.template on_device<master>())),
        gradients_(bind_parameters<Model::template params, master>(gradient_.template on_device<master>())),
        part_gradients_(bind_parameters<Model::template params, master>(
            part_ < local_ ? part_gradient_.template as<master>() : gradient_.template on_device<master>())),
        carry_(bind_activations<typename Model::carry>(carry_memory_.template on_device<std::byte>(),
                                                       static_cast<std::size_t>(local_))),
        outputs_(bind_activations<typename Model::outputs>(output_memory_.template on_device<std::byte>(),
                                                           static_cast<std::size_t>(local_))),
        memory_(
            bind_activations<typename Model::training_memory>(step_memory_.data(), static_cast<std::size_t>(micro_))) {
    backend_.template reserve<compute>(count_training_step<Model>(micro_));
    samples_.copy_from(host_samples_);
    cuda::step_state fresh;
    fresh.seed = options_.seed;
    device_.copy_in(state_.data(), &fresh, sizeof fresh);
    forget_failure();
    device_.begin_ahead();
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
    return settle();
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
    return settle();
  }

  /// The first half of a step: forward, losses, gradients, halting. The weights stay as they are.
  void forward_backward(const batch& offered) {
    finish();
    begin(offered);
    copy_state({0, 0});
    if (one_graph()) {
      gradient_work_(backend_, [this] { compute_gradient(), bring_together(), report_work(); });
    } else {
      front_work_(backend_, [this] { compute_gradient(); });
      bring_together();
      back_work_(backend_, [this] { report_work(); });
    }
    take_report(step_ + 1);
    receive(step_ + 1);
    changed(false);
  }
  /// Were the losses and the gradient of the last forward_backward finite?
  bool finite() const { return std::isfinite(last_.metrics.loss()) && std::isfinite(last_.gradient_norm); }
  /// Takes the last forward_backward back, if no update followed: samples and carry are as before it. Requires options.undoable.
  void undo() {
    if (!options_.undoable) return;
    forget_failure();
    device_.copy(carry_memory_.template on_device<std::byte>(), before_.data(), carry_memory_.size());
    device_.copy(samples_.data(), before_.data() + carry_memory_.size(), samples_.size());
    carry_memory_.changed_on_device();
    newer_samples_ = side::device;
  }
  /// Where the first value that is not finite is, of what the device keeps of the last forward_backward: weights, initial states, puzzle
  /// rows and carry before the step; then states, logits, Q values and losses; then gradients. Nothing where there is none.
  std::optional<non_finite> diagnose() {
    if (!options_.undoable) return std::nullopt;
    std::vector<std::byte> carry(carry_memory_.size());
    device_.copy_out(carry.data(), before_.data(), carry.size());
    host_samples();
    cuda::finite_search<Model> search;
    search.weights(parameters_.template read<master>(), initial_.template read<master>());
    search.puzzle_rows(rows_.template read<master>(), local_);
    search.states(bind_activations<typename Model::carry>(carry.data(), static_cast<std::size_t>(local_)), local_,
                  host_samples_.reset.data());
    auto* now = const_cast<std::byte*>(carry_memory_.template read<std::byte>());
    auto* out = const_cast<std::byte*>(output_memory_.template read<std::byte>());
    search.step(bind_activations<typename Model::carry>(now, static_cast<std::size_t>(local_)),
                bind_activations<typename Model::outputs>(out, static_cast<std::size_t>(local_)), host_samples_);
    search.gradients(gradient_.template read<master>());
    std::optional<non_finite> found = search.found();
    if (found && found->sample >= 0) found->sample += local_ * group_.rank();
    return found;
  }
  /// The second half: optimizer, puzzle rows, EMA, at the learning rates of the schedule.
  step_report update() {
    const double factor = options_.schedule.at(1.0, step_ + 1);
    return update(options_.optimizer.learning_rate * factor, options_.puzzle_learning_rate * factor);
  }
  /// The same at given learning rates.
  step_report update(double learning_rate, double puzzle_learning_rate) {
    begin_ema();
    send();
    copy_state({learning_rate, puzzle_learning_rate});
    update_work_(backend_, [this] { apply(); });
    ++step_;
    changed(true);
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
    parameters_.template write<master>(), initial_.template write<master>();
    return weights_;
  }
  const trm::weights<Model>& weights() const {
    parameters_.template read<master>(), initial_.template read<master>();
    return weights_;
  }
  /// Weights have been written: the average begins again.
  void weights_changed() { ema_begun_ = false; }
  /// The puzzle rows, as of now; no rows where the model has none.
  puzzle_table<master>& table() {
    finish();
    return table_.write();
  }
  const puzzle_table<master>& table() const { return table_.read(); }
  /// The running average of the parameters, as of now; the parameters themselves without EMA or before a step.
  const master* ema() const { return (ema_begun_ ? ema_ : parameters_).template read<master>(); }
  std::span<const master> ema(std::string_view name) const { return trm::weights<Model>::part(ema(), name); }
  /// Where the parameters that are evaluated and the constants are on the device: for a solver beside this trainer, after finish().
  const master* ema_on_device() {
    send();
    return (ema_begun_ ? ema_ : parameters_).template on_device<master>();
  }
  /// Likewise.
  const master* constants_on_device() {
    send();
    return initial_.template on_device<master>();
  }

  // What the last forward_backward left. Shapes [B, ...] with B = local_batch(); of the gradients, those of the whole batch.
  std::span<const master> gradient(std::string_view name) const {
    return trm::weights<Model>::part(gradient_.template read<master>(), name);
  }
  std::span<const master> puzzle_gradient() const {
    return {rows_.template read<master>() + static_cast<std::size_t>(local_) * Model::W, batch() * Model::W};
  }
  std::span<const compute> logits() const {
    return {host_view(output_memory_.template read<std::byte>(), output_memory_, outputs_.logits.data),
            static_cast<std::size_t>(local_) * Model::S * Model::V};
  }
  /// The state "H", "L", ... of the schedule, [B, T, D].
  std::span<const compute> state(std::string_view name) const {
    return {host_view(carry_memory_.template read<std::byte>(), carry_memory_, state_data(name)), state_extent()};
  }
  /// Samples at hand: data, steps, predictions, results.
  const trm::samples& samples() const { return host_samples(); }

  // The carry, to be set: states, and of each sample whether it halted, its steps and its data (samples().take).
  std::span<compute> state(std::string_view name) {
    finish();
    return {const_cast<compute*>(host_view(carry_memory_.template write<std::byte>(), carry_memory_, state_data(name))),
            state_extent()};
  }
  trm::samples& samples() {
    finish();
    host_samples();
    newer_samples_ = side::host;
    return host_samples_;
  }

  /// As used: gradient_parts is at least the number of processes.
  const training_options& options() const { return options_; }
  int local_batch() const { return local_; }                      // samples of this process
  long long step_number() const { return step_; }                 // updates done, or asked for
  const char* optimizer_name() const { return optimizer_.name; }  // as in options
  /// Is a step replayed as one graph by now?
  bool captured() const { return step_work_.captured(); }

  // The state of a run: as of trm::trainer, whose checkpoints this one reads, and the other way round.
  template <class Dense, class Sample>
  void each_state(Dense dense, Sample sample) {
    finish();
    const auto part = [&](const std::string& name, std::vector<std::int64_t> shape, auto values) {
      trm::detail::write_own_part(group_, name, std::move(shape), values, sample);
    };
    master* raw = ema_begun_ ? parameters_.template write<master>() : nullptr;
    master* moments = moments_.size() > 0 ? moments_.template write<master>() : nullptr;
    trm::detail::visit_run_state<Model>(
        raw, moments, options_.batch, samples(), [this](const char* name) { return state(name); }, dense, part);
  }
  template <class Dense, class Sample>
  void each_state(Dense dense, Sample sample) const {
    std::size_t next = 0;
    const auto part = [&](const std::string& name, std::vector<std::int64_t> shape, auto values) {
      if (group_.size() > 1) values = gathered_.whole(next++, values);
      sample(name, std::move(shape), values);
    };
    const master* raw = ema_begun_ ? parameters_.template read<master>() : nullptr;
    const master* moments = moments_.size() > 0 ? moments_.template read<master>() : nullptr;
    trm::detail::visit_run_state<Model>(
        raw, moments, options_.batch, host_samples(), [this](const char* name) { return state(name); }, dense, part);
  }
  /// Brings the samples of all processes, which all make this call, to the first, where they stay until the next step.
  void gather_samples() const {
    gathered_.clear();
    if (group_.size() == 1) return;
    const auto gather = [this](const auto&, const auto&, auto values) { gathered_.add(group_.on_host(), values); };
    const auto none = [](const auto&, const auto*) {};
    const master* nothing = nullptr;
    trm::detail::visit_run_state<Model>(
        nothing, nothing, options_.batch, host_samples(), [this](const char* name) { return state(name); }, none,
        gather);
  }
  /// Numbers of that state.
  using counters = run_counters;
  /// Those of now.
  counters count() const { return {step_, moments_since_, ema_begun_, host_samples_.padded, host_samples_.prefixed}; }
  /// The other arrays have been written, or will be: the next step is c.step + 1.
  void resume(const counters& c) {
    finish();
    step_ = c.step, moments_since_ = c.moments_since, ema_begun_ = c.averaging && options_.ema_rate > 0;
    take_kinds(c.padded, c.prefixed);
  }
  /// Where the average of the parameters is, to be written; null without EMA.
  master* average() { return ema_.size() == 0 ? nullptr : ema_.template write<master>(); }

 private:
  using prepared = typename backend::template prepared<compute, Model::template params>;
  using bound_weights = typename Model::template params<typename backend::template weight<compute>>;
  using dense_gradients = typename Model::template params<master>;
  using group = cuda::device_collectives<Device, Communicator>;
  enum class side { neither, host, device };
  struct rates {
    double dense, puzzle;
  };

  // ---- a step, as the host asks for it ----
  bool one_graph() const { return group::captured || group_.size() == 1; }
  void ask(const batch& offered) {
    begin(offered);
    const double factor = options_.schedule.at(1.0, step_ + 1);
    last_rate_ = options_.optimizer.learning_rate * factor;
    averaged_before_ = ema_begun_;
    begin_ema();
    copy_state({last_rate_, options_.puzzle_learning_rate * factor});
    device_.begin_ahead();  // what is copied ahead from now on waits for nothing of this step
    if (one_graph()) {
      step_work_(backend_, [this] { compute_gradient(), bring_together(), report_work(), apply(); });
    } else {
      front_work_(backend_, [this] { compute_gradient(); });
      bring_together();
      step_work_(backend_, [this] { report_work(), apply(); });
    }
    ++step_;
    take_report(step_);
    changed(true);
  }
  /// The report of the last step that was asked for, or of `step`.
  step_report settle() { return settle(step_); }
  step_report settle(long long step) {
    asked_ = false;
    receive(step);
    if (last_finite_) return last_;
    device_.synchronize();
    step_ = step - 1, ema_begun_ = averaged_before_;
    std::string what = std::isfinite(last_.metrics.loss()) ? "the gradient" : "the loss";
    what += " is not finite";
    const auto first = diagnose();
    if (first) what += ": " + first->text();
    undo();
    forget_failure();
    not_finite_error e("step " + std::to_string(step), what);
    e.state_finite = !first || !first->before_step;
    throw e;
  }
  /// The examples are on their way, and all that the host has written is on the device.
  void begin(const batch& offered) {
    trm::detail::check_batch(offered, local_, Model::S, Model::V, table_.rows_checked(Model::W), true);
    gathered_.clear();
    take_kinds(host_samples_.padded || !offered.lengths.empty(), host_samples_.prefixed || !offered.prefixes.empty());
    send();
    const std::size_t place = static_cast<std::size_t>((step_ + 1) % 2) * offered_ints();
    int* host = offered_on_host_.template as<int>() + place;
    cuda::offered_arrays::fill(offered, local_, Model::S, Model::P, host);
    device_.copy_in_ahead(offered_.template as<int>() + place, host, offered_ints() * sizeof(int));
    device_.join_ahead();
  }
  void send() {
    const bool weights = parameters_.send();
    initial_.send(), moments_.send(), ema_.send(), carry_memory_.send();
    if (newer_samples_ == side::host) {
      samples_.copy_from(host_samples_);
      newer_samples_ = side::neither;
    }
    if (table_.send()) all_changed();
    if (weights || !refreshed_) prepared::refresh(device_, bound_);
    refreshed_ = true;
  }
  /// Whether lengths and prefixes count; what is captured knows.
  void take_kinds(bool padded, bool prefixed) {
    if (padded != host_samples_.padded || prefixed != host_samples_.prefixed) all_changed();
    host_samples_.padded = padded, host_samples_.prefixed = prefixed;
  }
  void all_changed() {
    for (cuda::repeated<Device>* w : {&step_work_, &gradient_work_, &front_work_, &back_work_, &update_work_})
      w->changed();
  }
  void begin_ema() {
    if (options_.ema_rate == 0 || ema_begun_) return;
    send();
    device_.copy(ema_.template on_device<std::byte>(), parameters_.template on_device<std::byte>(), ema_.size());
    ema_.changed_on_device();
    ema_begun_ = true;
  }
  void copy_state(rates r) {
    const optimizer_options& o = options_.optimizer;
    const long long t = std::max(1LL, step_ + 1 - moments_since_);
    const cuda::step_state next{
        .seed = options_.seed,
        .step = static_cast<std::uint64_t>(step_ + 1),
        .adam = cuda::factors_of(adam_step{r.dense, o.beta1, o.beta2, o.weight_decay, o.epsilon, t}),
        .puzzle = {r.puzzle, options_.puzzle_weight_decay},
        .clip_norm = options_.clip_norm};
    // By way of two places in turn, so that nothing waits for the step that runs now.
    constexpr std::size_t size = offsetof(cuda::step_state, gradient_norm);  // the rest is the device's
    const std::size_t slot = static_cast<std::size_t>((step_ + 1) % 2);
    cuda::step_state *host = states_on_host_.template as<cuda::step_state>() + slot,
                     *device = states_.template as<cuda::step_state>() + slot;
    *host = next;
    device_.copy_in_ahead(device, host, size);
    device_.join_ahead();
    device_.copy(state_.data(), device, size);
  }
  void take_report(long long step) {
    const std::size_t slot = static_cast<std::size_t>(step % 2);
    device_.copy_out_later(reports_on_host_.template as<cuda::device_report>() + slot, report_.data(),
                           sizeof(cuda::device_report));
    marks_[slot].emplace(device_.record());
    rates_[slot] = last_rate_;
  }
  void receive(long long step) {
    const std::size_t slot = static_cast<std::size_t>(step % 2);
    group_.finish(*marks_[slot]);
    const cuda::device_report& r = reports_on_host_.template as<cuda::device_report>()[slot];
    last_ = {step, rates_[slot], r.gradient_norm, r.metrics};
    last_finite_ = r.finite != 0;
  }
  /// The device goes on although a step was not finite.
  void forget_failure() {
    const cuda::device_report none;
    device_.copy_in(report_.data(), &none, sizeof none);
    last_finite_ = true;
  }
  /// The device writes to these, in half a step or in a whole one.
  void changed(bool updated) {
    for (auto* m : {&gradient_, &rows_, &carry_memory_, &output_memory_}) m->changed_on_device();
    newer_samples_ = side::device;
    if (!updated) return;
    table_.changed_on_device();
    if (options_.freeze_weights) return;
    for (auto* m : {&parameters_, &moments_, &ema_}) m->changed_on_device();
  }

  // ---- a step, as the device does it; captured ----
  void compute_gradient() {
    if (options_.undoable) {
      keep(carry_memory_.template on_device<std::byte>(), before_.data(), carry_memory_.size());
      keep(samples_.data(), before_.data() + carry_memory_.size(), samples_.size());
    }
    samples_.offer(offered_.template as<int>(), step_state_on_device());
    if (table_.rows() > 0)
      backend_.gather(table_.on_device(), Model::W, samples_.arrays().puzzle_identifiers, local_, puzzle_rows());
    master* sum = gradient_.template on_device<master>();
    backend_.clear(sum, Model::extent);
    for (int first = 0; first < part_; first += micro_) run(first, gradients_);
    for (int part = part_; part < local_; part += part_) {
      master* next = part_gradient_.template as<master>();
      backend_.clear(next, Model::extent);
      for (int first = part; first < part + part_; first += micro_) run(first, part_gradients_);
      backend_.add(sum, next, Model::extent);
    }
    device_.launch(cuda::detail::pack_results_kernel{samples_.arrays(), results_.template as<cuda::sample_result>(),
                                                     local_ * group_.rank(), local_},
                   cuda::blocks_of(static_cast<std::size_t>(local_), 128), 128, 0);
  }
  void run(int first, const dense_gradients& gradients) {
    const cuda::sample_arrays& s = samples_.arrays();
    const auto tokens = static_cast<std::ptrdiff_t>(first) * Model::S;
    const int number = local_ * group_.rank() + first;
    const auto row = static_cast<std::ptrdiff_t>(first) * Model::W,
               global_row = static_cast<std::ptrdiff_t>(number) * Model::W;
    const call<backend> c{backend_, micro_, Model::L, host_samples_.padded ? s.lengths + first : nullptr,
                          host_samples_.prefixed ? s.prefixes + first : nullptr};
    const auto z = carry_.from_sample(first, Model::L);
    const typename Model::outputs out{outputs_.logits.from_sample(first, Model::S), outputs_.q.from_sample(first, 1)};
    const step_input<master> in{s.inputs + tokens, s.labels + tokens, puzzle_rows() + row,
                                puzzle_gradient_data() + global_row, s.reset + first};
    Model::forward(c, bound_, constants_, in, z, out, memory_);
    Model::probe(c, bound_, z, memory_);
    Model::losses(c, in, out, s.steps + first, options_.max_steps, 1.0 / options_.batch, memory_,
                  s.predictions + tokens, s.token_results + first, s.halting + first);
    Model::backward(c, bound_, gradients, in, z, out, memory_);
    backend_.halt(c, Model::rule(options_.max_steps, options_.exploration), step_state_on_device(),
                  static_cast<std::uint32_t>(number), s.halting + first, s.steps + first, s.halted + first);
  }
  void bring_together() {
    group_.gather(results_.template as<cuda::sample_result>(), batch());
    if (table_.rows() > 0) group_.gather(puzzle_gradient_data(), batch() * Model::W);
    if (!options_.freeze_weights) group_.sum_in_order(gradient_.template on_device<master>(), Model::extent);
  }
  void report_work() {
    backend_.gradient_norm(gradient_.template on_device<master>(), Model::extent, step_state_on_device());
    device_.launch(
        cuda::detail::report_kernel{results_.template as<cuda::sample_result>(), identifiers_.template as<int>(),
                                    options_.batch, step_state_on_device(), report_.template as<cuda::device_report>()},
        1, cuda::warp_size, cuda::detail::report_kernel::shared_bytes);
  }
  void apply() {
    cuda::step_state* state = step_state_on_device();
    if (!options_.freeze_weights) {
      master *p = parameters_.template on_device<master>(), *m = moments_.template on_device<master>();
      cuda::detail::optimizer_by_state<Device> by_state{backend_, state};
      optimizer_.step(by_state, p, m, m + Model::extent, gradient_.template on_device<master>(), Model::extent,
                      adam_step{}, 1.0);
      prepared::refresh(device_, bound_);
      if (options_.ema_rate > 0)
        backend_.ema(ema_.template on_device<master>(), p, Model::extent, options_.ema_rate, state);
    }
    if (table_.rows() > 0) {
      backend_.sign_sgd(table_.on_device(), Model::W, identifiers_.template as<int>(), puzzle_gradient_data(),
                        options_.batch, state);
    }
  }
  void keep(const void* from, void* to, std::size_t size) {
    device_.launch(cuda::detail::keep_kernel{report_.template as<cuda::device_report>(), from, to, size},
                   cuda::blocks_of(size / 16, 256), 256, 0);
  }

  // ---- the host's view ----
  const trm::samples& host_samples() const {
    if (newer_samples_ == side::device) {
      samples_.copy_to(host_samples_);
      newer_samples_ = side::neither;
    }
    return host_samples_;
  }
  static const compute* host_view(const std::byte* host, const cuda::mirror<Device>& m, const compute* device) {
    return reinterpret_cast<const compute*>(
        host + (reinterpret_cast<const std::byte*>(device) - m.template on_device<std::byte>()));
  }
  const compute* state_data(std::string_view name) const {
    for (std::size_t i = 0; i < Model::core::state_count; ++i) {
      if (name == Model::schedule::states[i]) return carry_.z[i].data;
    }
    throw error(std::string(name), "the schedule has no such state");
  }
  std::size_t state_extent() const { return static_cast<std::size_t>(local_) * Model::L * Model::D; }

  std::size_t batch() const { return static_cast<std::size_t>(options_.batch); }
  std::size_t offered_ints() const { return cuda::offered_arrays::extent(local_, Model::S); }
  cuda::step_state* step_state_on_device() const { return state_.template as<cuda::step_state>(); }
  master* puzzle_rows() const { return rows_.template on_device<master>(); }
  master* puzzle_gradient_data() const { return puzzle_rows() + static_cast<std::size_t>(local_) * Model::W; }

  inline static single_process alone_;

  backend& backend_;
  Device& device_;
  [[no_unique_address]] Optimizer optimizer_;
  training_options options_;
  mutable group group_;
  mutable trm::detail::gathered_samples gathered_;  // by each_state
  int local_, part_, micro_;  // samples of this process, of a part of the gradient, worked through at once
  cuda::device_samples<Device> samples_;
  mutable trm::samples host_samples_;
  mutable side newer_samples_ = side::neither;
  cuda::device_memory<Device> offered_;  // two places
  cuda::host_memory<Device> offered_on_host_;
  cuda::device_memory<Device> results_, identifiers_, state_, states_;
  cuda::host_memory<Device> states_on_host_;
  cuda::device_memory<Device> report_;
  cuda::host_memory<Device> reports_on_host_;  // two, of odd and of even steps
  mutable trm::weights<Model> weights_;
  cuda::mirror<Device> parameters_, initial_;
  cuda::device_table<Device, master> table_;
  cuda::mirror<Device> gradient_;
  cuda::device_memory<Device> part_gradient_;
  cuda::mirror<Device> moments_, ema_;
  cuda::device_memory<Device> derived_;
  cuda::mirror<Device> rows_, carry_memory_, output_memory_;
  cuda::device_memory<Device> step_memory_, before_;
  bound_weights bound_;
  typename Model::template constants<master> constants_;
  dense_gradients gradients_, part_gradients_;
  typename Model::carry carry_;
  typename Model::outputs outputs_;
  typename Model::training_memory memory_;
  cuda::repeated<Device> step_work_, gradient_work_, front_work_, back_work_, update_work_;
  std::array<std::optional<typename Device::mark>, 2> marks_;
  std::array<double, 2> rates_{};
  bool refreshed_ = false, ema_begun_ = false, averaged_before_ = false, asked_ = false, last_finite_ = true;
  long long step_ = 0, moments_since_ = 0;
  double last_rate_ = 0;
  step_report last_;
};

}  // namespace trm
