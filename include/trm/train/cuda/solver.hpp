// SPDX-License-Identifier: MIT
// Answers from a device: a supervision step is one captured graph.
#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trm/backend/cuda/context.hpp"
#include "trm/backend/cuda/mirror.hpp"
#include "trm/backend/cuda/repeated.hpp"
#include "trm/fwd.hpp"
#include "trm/models/plan.hpp"
#include "trm/train/cuda/samples.hpp"
#include "trm/train/cuda/solver_kernels.hpp"
#include "trm/train/metrics.hpp"
#include "trm/train/run_state.hpp"
#include "trm/train/solver_checks.hpp"
#include "trm/train/weights.hpp"

namespace trm {

/// trm::solver on a CUDA device, with the same calls and the same meaning. What is different:
///
/// - step() asks for a step and does not wait; samples(), logits(), state() and metrics() do, and copy what is new to the host. What
///   the calls that are not const return is taken back to the device before the next step, as are new examples.
/// - The first step is done operation by operation, the second is captured and replayed from then on. Where samples leave
///   (keep), steps of fewer samples are graphs of their own, of at most 16 sizes: up to that, places left behind are computed in vain.
template <class Model, class Device>
class solver<Model, cuda::context<Device>> {
 public:
  using compute = typename Model::compute;  // of states and logits
  using master = typename Model::master;    // of weights
  using backend = cuda::context<Device>;    // what computes

  /// `batch` samples at a time. Throws for less than one, and where the device has not the memory.
  solver(backend& b, int batch)
      : backend_(b),
        device_(b.device()),
        batch_(trm::detail::checked_batch(batch)),
        samples_(device_, batch, Model::S),
        host_samples_(batch, Model::S, Model::P),
        parameters_(device_, Model::extent * sizeof(master)),
        initial_(device_, Model::constant_extent * sizeof(master)),
        derived_(device_, prepared::bytes(mode::inference)),
        rows_(device_, static_cast<std::size_t>(batch) * Model::W * sizeof(master)),
        carry_memory_(device_, static_cast<std::size_t>(batch) * sample_bytes<typename Model::carry>()),
        output_memory_(device_, static_cast<std::size_t>(batch) * sample_bytes<typename Model::outputs>()),
        step_memory_(device_, static_cast<std::size_t>(batch) * sample_bytes<typename Model::inference_memory>()),
        which_(device_, static_cast<std::size_t>(batch) * sizeof(int)),
        carry_(bind_activations<typename Model::carry>(carry_memory_.template on_device<std::byte>(),
                                                       static_cast<std::size_t>(batch))),
        outputs_(bind_activations<typename Model::outputs>(output_memory_.template on_device<std::byte>(),
                                                           static_cast<std::size_t>(batch))),
        memory_(
            bind_activations<typename Model::inference_memory>(step_memory_.data(), static_cast<std::size_t>(batch))) {
    backend_.template reserve<compute>(count_inference_step<Model>(batch));
    samples_.copy_from(host_samples_);
  }
  solver(const solver&) = delete;
  solver& operator=(const solver&) = delete;
  ~solver() {
    try {
      device_.synchronize();  // before its memory goes
    } catch (...) {           // whatever failed has been said, or is of no interest any more
    }
  }

  /// Computes with these weights from now on, which are copied to the device; after a change call use() again.
  void use(const weights<Model>& w) { use(w.parameters(), w.constants()); }
  /// The same with parameters of another place but the same layout: a trainer's EMA.
  void use(const master* parameters, const master* constants) {
    device_.copy_in(parameters_.data(), parameters, parameters_.size());
    device_.copy_in(initial_.data(), constants, initial_.size());
    prepare();
  }
  /// The same with weights in the memory of this device, which are copied: ema_on_device() of a trainer.
  void use_on_device(const master* parameters, const master* constants) {
    device_.copy(parameters_.data(), parameters, parameters_.size());
    device_.copy(initial_.data(), constants, initial_.size());
    prepare();
  }

  /// All samples begin anew with the examples of `b`. A model with puzzle rows needs them: a puzzle_table, or a view of rows that
  /// lie elsewhere, of which those of the batch are read.
  void begin(const batch& b, const puzzle_rows<master>& table = {}) {
    const std::size_t rows = trm::detail::rows_to_name<Model>(ready_, b, batch_, table);
    trm::samples& s = to_write();
    take_kinds(!b.lengths.empty(), !b.prefixes.empty());
    for (int i = 0; i < batch_; ++i) s.take(b, i, i);
    std::fill(s.reset.begin(), s.reset.end(), static_cast<unsigned char>(1));
    if (rows > 0) table.gather(s.puzzle_identifiers.data(), batch_, rows_.template write<master>());
    active_ = batch_;
  }
  /// The same with the rows of a table; null where the model has none.
  void begin(const batch& b, const puzzle_table<master>* table) {
    begin(b, table == nullptr ? puzzle_rows<master>() : table->view());
  }
  /// Makes the first `count` samples active, to be given examples by replace() before a step.
  void activate(int count) {
    if (count < 0 || count > batch_) throw error("solver", "has room for " + std::to_string(batch_) + " samples");
    take_kinds(false, false);
    active_ = count;
  }
  /// Calls f(i) for every active sample.
  template <class F>
  void each_active(F f) {
    for (int i = 0; i < active_; ++i) f(i);
  }
  /// Sample i, which is active, begins anew with the one example of `b`; the others go on.
  void replace(int i, const batch& b, const puzzle_rows<master>& table = {}) {
    if (i < 0 || i >= active_) throw error("solver", "sample " + std::to_string(i) + " is not active");
    const std::size_t rows = trm::detail::rows_to_name<Model>(ready_, b, 1, table);
    trm::samples& s = to_write();
    take_kinds(s.padded || !b.lengths.empty(), s.prefixed || !b.prefixes.empty());
    s.take(b, i, 0);
    s.reset[static_cast<std::size_t>(i)] = 1;
    if (rows > 0)
      table.gather(s.puzzle_identifiers.data() + i, 1, rows_.template write<master>() + std::ptrdiff_t{i} * Model::W);
  }
  /// Samples that are not among `which` leave, given in increasing order: `which[k]` becomes sample k. A step then costs about
  /// what they need.
  void keep(std::span<const int> which) {
    int to = 0;
    bool moves = false;
    for (const int from : which) {
      if (from < to || from >= active_) throw error("solver", "keep: samples in increasing order are wanted");
      moves = moves || from != to;
      ++to;
    }
    active_ = to;
    if (!moves) return;
    trm::samples& s = to_write();
    master* rows = Model::W > 0 ? rows_.template write<master>() : nullptr;
    for (int k = 0; k < to; ++k) {
      const int from = which[static_cast<std::size_t>(k)];
      s.move(from, k);
      if (rows != nullptr && from != k)
        std::copy_n(rows + std::ptrdiff_t{from} * Model::W, Model::W, rows + std::ptrdiff_t{k} * Model::W);
    }
    carry_memory_.send();
    device_.copy_in(which_.data(), which.data(), which.size_bytes());
    for (auto& z : carry_.z) {
      device_.launch(cuda::detail::move_samples_kernel<compute>{z.data, which_.template as<int>(), to, state_extent},
                     cuda::blocks_of(static_cast<std::size_t>(state_extent), 256), 256, 0);
    }
    carry_memory_.changed_on_device();
  }
  /// Adds `deviation` times a standard normal draw to every element of every state of sample i.
  void add_noise(int i, double deviation, const draws& from) {
    carry_memory_.send();
    std::uint64_t index = 0;
    for (auto& z : carry_.z) {
      device_.launch(
          cuda::detail::add_noise_kernel<compute>{z.data + i * state_extent, state_extent, deviation, from, index},
          cuda::blocks_of(static_cast<std::size_t>(state_extent), 256), 256, 0);
      index += static_cast<std::uint64_t>(state_extent);
    }
    carry_memory_.changed_on_device();
  }
  /// The samples that step() works on: all of the batch after begin().
  int active() const { return active_; }

  /// One supervision step of every active sample: logits, predictions, Q values, and with labels the losses.
  void step() {
    if (active_ == 0) throw error("solver", "has nothing to work on: call begin() first");
    send();
    const int computed = rounded(active_);
    work_[computed](device_, [this, computed] { infer(computed); });
    for (int& s : host_samples_.steps) ++s;
    std::fill(host_samples_.reset.begin(), host_samples_.reset.end(), static_cast<unsigned char>(0));
    new_results_ = active_;
    carry_memory_.changed_on_device(), output_memory_.changed_on_device();
  }
  /// The metrics of the last step, all samples counted as halted; the first `count` samples, or all that are active.
  step_metrics metrics(int count = -1) const {
    const trm::samples& s = samples();
    step_metrics m;
    const int n = count < 0 ? active_ : std::min(count, active_);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
      m.add(s.token_results[i], s.halting[i], s.steps[i], true);
    return m;
  }

  int batch_size() const { return batch_; }  // samples at most
  /// With their predictions, as of now.
  const trm::samples& samples() const {
    if (new_results_ > 0) samples_.copy_results_to(host_samples_, new_results_);
    new_results_ = 0;
    return host_samples_;
  }
  /// [B, S, V]
  std::span<const compute> logits() const {
    const auto* host = output_memory_.template read<std::byte>();
    return {at(host, output_memory_, outputs_.logits.data), static_cast<std::size_t>(batch_) * Model::S * Model::V};
  }
  /// The state "H", "L", ... of the schedule, [B, T, D].
  std::span<const compute> state(std::string_view name) const {
    const compute* z = state_data(name);
    return {at(carry_memory_.template read<std::byte>(), carry_memory_, z), all_states};
  }
  /// The same, to be written. The next step continues from what is written where samples().reset is 0; begin() sets it to 1.
  std::span<compute> state(std::string_view name) {
    const compute* z = state_data(name);
    return {const_cast<compute*>(at(carry_memory_.template write<std::byte>(), carry_memory_, z)), all_states};
  }
  trm::samples& samples() { return to_write(); }  // to be set, with the states

 private:
  using prepared = typename backend::template prepared<compute, Model::template params>;
  static constexpr std::ptrdiff_t state_extent = std::ptrdiff_t{Model::L} * Model::D;

  /// The work of a step, captured.
  void infer(int count) {
    const cuda::sample_arrays& s = samples_.arrays();
    device_.launch(cuda::detail::count_step_kernel{s.steps, batch_},
                   cuda::blocks_of(static_cast<std::size_t>(batch_), 128), 128, 0);
    const call<backend> c{backend_, count, Model::L, host_samples_.padded ? s.lengths : nullptr,
                          host_samples_.prefixed ? s.prefixes : nullptr};
    const step_input<master> in{s.inputs, s.labels, rows_.template on_device<master>(), nullptr, s.reset};
    Model::infer(c, bound_, constants_, in, carry_, outputs_, memory_);
    Model::measure(c, in, outputs_, s.steps, 0, s.predictions, s.token_results, s.halting);
    device_.clear(s.reset, static_cast<std::size_t>(batch_));
  }
  void prepare() {
    bound_ = prepared::bind(parameters_.template as<master>(), derived_.data(), mode::inference);
    constants_ = bind_parameters<Model::template constants, const master>(
        static_cast<const master*>(initial_.template as<master>()));
    prepared::refresh(device_, bound_);
    ready_ = true;
  }
  /// So many samples are computed where `active` are asked for: one of at most 16 numbers.
  int rounded(int active) const {
    const int unit = (batch_ + 15) / 16;
    return std::min(batch_, (active + unit - 1) / unit * unit);
  }
  trm::samples& to_write() {
    std::as_const(*this).samples();
    written_ = true;
    return host_samples_;
  }
  void send() {
    if (written_) samples_.copy_from(host_samples_);
    written_ = false;
    rows_.send(), carry_memory_.send();
  }
  /// Whether lengths and prefixes count; what is captured knows.
  void take_kinds(bool padded, bool prefixed) {
    if (padded != host_samples_.padded || prefixed != host_samples_.prefixed) {
      for (auto& [count, work] : work_) work.changed();
    }
    host_samples_.padded = padded, host_samples_.prefixed = prefixed;
  }
  const compute* state_data(std::string_view name) const {
    return carry_.z[trm::detail::number_of_state<Model>(name)].data;
  }
  static const compute* at(const std::byte* host, const cuda::mirror<Device>& m, const compute* device) {
    return reinterpret_cast<const compute*>(
        host + (reinterpret_cast<const std::byte*>(device) - m.template on_device<std::byte>()));
  }

  backend& backend_;
  Device& device_;
  int batch_;
  std::size_t all_states = static_cast<std::size_t>(batch_) * static_cast<std::size_t>(state_extent);
  cuda::device_samples<Device> samples_;
  mutable trm::samples host_samples_;  // its data counts, the results of the device do
  cuda::device_memory<Device> parameters_, initial_, derived_;
  cuda::mirror<Device> rows_, carry_memory_, output_memory_;
  cuda::device_memory<Device> step_memory_, which_;
  typename prepared::weights bound_{};
  typename Model::template constants<const master> constants_{};
  typename Model::carry carry_;
  typename Model::outputs outputs_;
  typename Model::inference_memory memory_;
  std::map<int, cuda::repeated<Device>> work_;  // by the number of samples
  int active_ = 0;
  bool ready_ = false, written_ = false;
  mutable int new_results_ = 0;  // samples with results that are on the device alone
};

}  // namespace trm
