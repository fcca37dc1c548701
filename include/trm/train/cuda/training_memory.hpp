// SPDX-License-Identifier: MIT
// What training keeps on a device, and what of it the host has copies of.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

#include "trm/backend/cuda/mirror.hpp"
#include "trm/backend/cuda/table.hpp"
#include "trm/backend/cuda/weights.hpp"
#include "trm/core/activations.hpp"
#include "trm/train/cuda/mirrored_samples.hpp"
#include "trm/train/cuda/step_results.hpp"
#include "trm/train/run_state.hpp"
#include "trm/train/step_gradient.hpp"
#include "trm/train/training_options.hpp"
#include "trm/train/weights.hpp"

namespace trm::cuda {

/// All memory of a trainer of Model on a device but that of the messages of a step: what trm::plan counts, prepared weights, puzzle rows,
/// samples. A mirror has a copy on the host when somebody asks for it.
template <class Model, class Device>
struct training_memory {
  using compute = typename Model::compute;  // of states and logits
  using master = typename Model::master;    // of weights, gradients, moments
  using prepared = prepared_weights<compute, Model::template params>;

  int batch, local;             // samples of all processes, and of this one
  int first;                    // the number of its first sample in the whole batch
  trm::weights<Model> weights;  // the host's
  mirrored_samples<Device> samples;
  device_memory<Device> results, identifiers;  // sample_result, int; [batch]
  mirror<Device> parameters, constants;        // trained weights, initial states
  device_table<Device, master> table;          // all puzzle rows
  mirror<Device> gradient;                     // of the whole batch
  device_memory<Device> part_gradient;         // where the gradient has parts
  mirror<Device> moments, average;             // the first behind the second; either may be absent
  device_memory<Device> derived;               // prepared weights
  mirror<Device> rows;                // puzzle rows of this process, [local, W], and gradients of all, [batch, W]
  mirror<Device> carry, outputs;      // of this process
  device_memory<Device> activations;  // of a micro-batch
  device_memory<Device> before;       // carry and samples as they were before the step; where it can be undone

  /// Takes it. Throws where the device has not so much.
  training_memory(Device& d, const training_options& o, const trm::detail::division& n, int rank)
      : batch(o.batch),
        local(n.local),
        first(n.local * rank),
        samples(d, n.local, Model::S, Model::P),
        results(d, of(o.batch) * sizeof(sample_result)),
        identifiers(d, of(o.batch) * sizeof(int)),
        parameters(d, Model::extent * sizeof(master), weights.parameters()),
        constants(d, Model::constant_extent * sizeof(master), weights.constants()),
        table(d, Model::W == 0 ? 0 : o.puzzle_identifiers, Model::W, o.batch),
        gradient(d, Model::extent * sizeof(master)),
        part_gradient(d, n.parts() ? gradient.size() : 0),
        moments(d, o.freeze_weights ? 0 : 2 * Model::extent * sizeof(master)),
        average(d, o.ema_rate > 0 ? Model::extent * sizeof(master) : 0),
        derived(d, prepared::bytes(mode::training)),
        rows(d, of(n.local + o.batch) * Model::W * sizeof(master)),
        carry(d, of(n.local) * sample_bytes<typename Model::carry>()),
        outputs(d, of(n.local) * sample_bytes<typename Model::outputs>()),
        activations(d, of(n.micro) * sample_bytes<typename Model::training_memory>()),
        before(d, o.undoable ? carry.size() + samples.on_device().size() : 0) {}

  /// Where the gradient of a step finds it.
  template <class Backend>
  typename trm::detail::step_gradient<Model, Backend>::memory in_memory() const {
    return {.parameters = parameters.template on_device<master>(),
            .derived = derived.data(),
            .constants = constants.template on_device<master>(),
            .gradient = gradient.template on_device<master>(),
            .part_gradient = part_gradient.template as<master>(),
            .carry = carry.template on_device<std::byte>(),
            .outputs = outputs.template on_device<std::byte>(),
            .activations = activations.data()};
  }
  /// Likewise the samples.
  trm::detail::samples_at<master> samples_in_memory() const {
    const sample_arrays& s = samples.on_device().arrays();
    return {.first = first,
            .inputs = s.inputs,
            .labels = s.labels,
            .steps = s.steps,
            .lengths = samples.padded() ? s.lengths : nullptr,
            .prefixes = samples.prefixed() ? s.prefixes : nullptr,
            .reset = s.reset,
            .halted = s.halted,
            .predictions = s.predictions,
            .token_results = s.token_results,
            .halting = s.halting,
            .puzzle_rows = puzzle_rows(),
            .puzzle_gradient = puzzle_gradient()};
  }
  /// On the device: the rows of the samples of this process, [local, W]; gradients of those of all, [batch, W]; results, [batch].
  master* puzzle_rows() const { return rows.template on_device<master>(); }
  master* puzzle_gradient() const { return puzzle_rows() + of(local) * Model::W; }        // of all
  sample_result* sample_results() const { return results.template as<sample_result>(); }  // of all

  /// What a step, or half a one, writes has been written; with `updated` what an update writes too, with `frozen` but the table.
  void changed_on_device(bool updated, bool frozen) {
    for (auto* m : {&gradient, &rows, &carry, &outputs}) m->changed_on_device();
    samples.changed_on_device();
    if (!updated) return;
    table.changed_on_device();
    if (frozen) return;
    for (auto* m : {&parameters, &moments, &average}) m->changed_on_device();
  }
  /// Carry and samples are as they were before the step.
  void undo(Device& d) {
    d.copy(carry.template on_device<std::byte>(), before.data(), carry.size());
    d.copy(samples.on_device().data(), before.data() + carry.size(), samples.on_device().size());
    carry.changed_on_device(), samples.changed_on_device();
  }

  // ---- the host's view ----
  std::span<const compute> logits() const {
    const auto host = bind_activations<typename Model::outputs>(read(outputs), of(local));
    return {host.logits.data, of(local) * Model::S * Model::V};
  }
  std::span<const compute> state(std::string_view name) const { return state(name, read(carry)); }
  std::span<compute> state(std::string_view name) { return state(name, carry.template write<std::byte>()); }
  std::span<const master> puzzle_gradient_on_host() const {
    return {rows.template read<master>() + of(local) * Model::W, of(batch) * Model::W};
  }
  /// The host's copy of activations, to be bound: nothing is written to it.
  static std::byte* read(const mirror<Device>& m) { return const_cast<std::byte*>(m.template read<std::byte>()); }

 private:
  static constexpr std::size_t of(int n) { return static_cast<std::size_t>(n); }
  std::span<compute> state(std::string_view name, std::byte* host) const {
    const auto bound = bind_activations<typename Model::carry>(host, of(local));
    return {bound.z[trm::detail::number_of_state<Model>(name)].data, of(local) * Model::L * Model::D};
  }
};

}  // namespace trm::cuda
