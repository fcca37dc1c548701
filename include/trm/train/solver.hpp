// SPDX-License-Identifier: MIT
// Answers: supervision steps without a gradient.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "trm/backend/default_context.hpp"
#include "trm/fwd.hpp"
#include "trm/models/plan.hpp"
#include "trm/optim/puzzle_table.hpp"
#include "trm/train/metrics.hpp"
#include "trm/train/run_state.hpp"
#include "trm/train/samples.hpp"
#include "trm/train/solver_checks.hpp"
#include "trm/train/weights.hpp"

namespace trm {

/// Runs supervision steps on a batch with given weights. All memory is taken by the constructor, none by a step.
///
///   trm::solver<model> s(device, 8);
///   s.use(weights);
///   s.begin(batch, table);
///   for (int i = 0; i < 16; ++i) s.step();
///   s.samples().predictions ...
template <class Model, class Backend>
class solver {
 public:
  using compute = typename Model::compute;  // of states and logits
  using master = typename Model::master;    // of weights

  /// `batch` samples at a time. Throws for less than one.
  solver(Backend& backend, int batch)
      : backend_(backend),
        batch_(detail::checked_batch(batch)),
        samples_(batch, Model::S, Model::P),
        derived_(prepared::bytes(mode::inference)),
        rows_(static_cast<std::size_t>(batch) * Model::W * sizeof(master)),
        carry_memory_(static_cast<std::size_t>(batch) * sample_bytes<typename Model::carry>()),
        output_memory_(static_cast<std::size_t>(batch) * sample_bytes<typename Model::outputs>()),
        step_memory_(static_cast<std::size_t>(batch) * sample_bytes<typename Model::inference_memory>()),
        carry_(bind_activations<typename Model::carry>(carry_memory_.data(), static_cast<std::size_t>(batch))),
        outputs_(bind_activations<typename Model::outputs>(output_memory_.data(), static_cast<std::size_t>(batch))),
        memory_(
            bind_activations<typename Model::inference_memory>(step_memory_.data(), static_cast<std::size_t>(batch))) {
    backend_.template reserve<compute>(count_inference_step<Model>(1));
  }
  solver(const solver&) = delete;
  solver& operator=(const solver&) = delete;

  /// Computes with these weights from now on. They must outlive the solver; after a change call use() again.
  void use(const weights<Model>& w) { use(w.parameters(), w.constants()); }
  /// The same with parameters of another place but the same layout: a trainer's EMA.
  void use(const master* parameters, const master* constants) {
    bound_ = prepared::bind(parameters, derived_.data(), mode::inference);
    constants_ = bind_parameters<Model::template constants, const master>(constants);
    prepared::refresh(backend_.pool(), bound_);
    ready_ = true;
  }

  /// All samples begin anew with the examples of `b`. A model with puzzle rows needs them: a puzzle_table, or a view of rows that
  /// lie elsewhere, of which those of the batch are read.
  void begin(const batch& b, const puzzle_rows<master>& table = {}) {
    const std::size_t rows = detail::rows_to_name<Model>(ready_, b, batch_, table);
    samples_.padded = !b.lengths.empty();
    samples_.prefixed = !b.prefixes.empty();
    for (int i = 0; i < batch_; ++i) samples_.take(b, i, i);
    std::fill(samples_.reset.begin(), samples_.reset.end(), static_cast<unsigned char>(1));
    if (rows > 0) table.gather(samples_.puzzle_identifiers.data(), batch_, rows_.template as<master>());
    active_ = batch_;
  }
  /// Makes the first `count` samples active, to be given examples by replace() before a step.
  void activate(int count) {
    if (count < 0 || count > batch_) throw error("solver", "has room for " + std::to_string(batch_) + " samples");
    samples_.padded = samples_.prefixed = false;
    active_ = count;
  }
  /// Calls f(i) for every active sample, on all threads.
  template <class F>
  void each_active(F f) {
    backend_.pool().run(active_, [&](int i, int) { f(i); });
  }
  /// Sample i, which is active, begins anew with the one example of `b`; the others go on.
  void replace(int i, const batch& b, const puzzle_rows<master>& table = {}) {
    if (i < 0 || i >= active_) throw error("solver", "sample " + std::to_string(i) + " is not active");
    const std::size_t rows = detail::rows_to_name<Model>(ready_, b, 1, table);
    samples_.padded = samples_.padded || !b.lengths.empty();
    samples_.prefixed = samples_.prefixed || !b.prefixes.empty();
    samples_.take(b, i, 0);
    samples_.reset[static_cast<std::size_t>(i)] = 1;
    if (rows > 0) table.gather(samples_.puzzle_identifiers.data() + i, 1, row_of(i));
  }
  /// Only these samples stay active, given in increasing order: `which[k]` becomes sample k. A step then costs no more than they need.
  void keep(std::span<const int> which) {
    int to = 0;
    for (const int from : which) {
      if (from < to || from >= active_) throw error("solver", "keep: samples in increasing order are wanted");
      samples_.move(from, to);
      if (from != to) {
        std::copy_n(row_of(from), Model::W, row_of(to));
        for (auto& z : carry_.z) {
          std::copy_n(z.data + from * state_extent, state_extent, z.data + to * state_extent);
        }
      }
      ++to;
    }
    active_ = to;
  }
  /// Adds `deviation` times a standard normal draw to every element of every state of sample i.
  void add_noise(int i, double deviation, const draws& from) {
    std::uint64_t index = 0;
    for (auto& z : carry_.z) {
      compute* v = z.data + i * state_extent;
      for (std::ptrdiff_t e = 0; e < state_extent; ++e, ++index) {
        v[e] = compute(static_cast<float>(static_cast<double>(v[e]) + deviation * from.normal(index)));
      }
    }
  }
  /// The samples that step() works on: all of the batch after begin().
  int active() const { return active_; }
  /// The same with the rows of a table; null where the model has none.
  void begin(const batch& b, const puzzle_table<master>* table) {
    begin(b, table == nullptr ? puzzle_rows<master>() : table->view());
  }
  /// One supervision step of every active sample: logits, predictions, Q values, and with labels the losses.
  void step() {
    if (active_ == 0) throw error("solver", "has nothing to work on: call begin() first");
    for (int& s : samples_.steps) ++s;
    const call<Backend> c{backend_, active_, Model::L, samples_.lengths_from(0), samples_.prefixes_from(0)};
    const step_input<master> in{samples_.inputs.data(), samples_.labels.data(), rows_.template as<master>(), nullptr,
                                samples_.reset.data()};
    Model::infer(c, bound_, constants_, in, carry_, outputs_, memory_);
    Model::measure(c, in, outputs_, samples_.steps.data(), 0, samples_.predictions.data(),
                   samples_.token_results.data(), samples_.halting.data());
    std::fill(samples_.reset.begin(), samples_.reset.end(), static_cast<unsigned char>(0));
  }
  /// The metrics of the last step, all samples counted as halted; the first `count` samples, or all that are active.
  step_metrics metrics(int count = -1) const {
    step_metrics m;
    const int n = count < 0 ? active_ : std::min(count, active_);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      m.add(samples_.token_results[i], samples_.halting[i], samples_.steps[i], true);
    }
    return m;
  }

  int batch_size() const { return batch_; }                 // samples at most
  const trm::samples& samples() const { return samples_; }  // with their predictions
  /// [B, S, V]
  std::span<const compute> logits() const {
    return {outputs_.logits.data, static_cast<std::size_t>(batch_) * Model::S * Model::V};
  }
  /// The state "H", "L", ... of the schedule, [B, T, D].
  std::span<const compute> state(std::string_view name) const {
    return {carry_.z[detail::number_of_state<Model>(name)].data,
            static_cast<std::size_t>(batch_) * Model::L * Model::D};
  }

  /// The same, to be written. The next step continues from what is written where samples().reset is 0; begin() sets it to 1.
  std::span<compute> state(std::string_view name) {
    const auto z = std::as_const(*this).state(name);
    return {const_cast<compute*>(z.data()), z.size()};
  }
  trm::samples& samples() { return samples_; }  // to be set, with the states

 private:
  using prepared = typename Backend::template prepared<compute, Model::template params>;
  static constexpr std::ptrdiff_t state_extent = std::ptrdiff_t{Model::L} * Model::D;
  master* row_of(int i) { return rows_.template as<master>() + static_cast<std::ptrdiff_t>(i) * Model::W; }

  Backend& backend_;
  int batch_;
  trm::samples samples_;
  buffer derived_, rows_, carry_memory_, output_memory_, step_memory_;
  typename prepared::weights bound_{};
  typename Model::template constants<const master> constants_{};
  typename Model::carry carry_;
  typename Model::outputs outputs_;
  typename Model::inference_memory memory_;
  int active_ = 0;
  bool ready_ = false;
};

}  // namespace trm
