// SPDX-License-Identifier: MIT
// The gradient of a step: of the parts of a batch, micro-batch by micro-batch. The same for every backend.
#pragma once
#include <cstddef>

#include "trm/core/activations.hpp"
#include "trm/core/call.hpp"
#include "trm/models/model.hpp"
#include "trm/ops/optimizer.hpp"
#include "trm/train/training_options.hpp"

namespace trm::detail {

/// How the samples of a process are worked through.
struct division {
  int local, part, micro;  // samples of this process, of a part of the gradient, worked through at once

  /// Of the options as a trainer uses them.
  division(const training_options& o, int processes)
      : local(o.batch / processes),
        part(o.batch / o.gradient_parts),
        micro(o.micro_batch == 0 ? part : o.micro_batch) {}
  /// Is there more than one part, so that parts are added up?
  bool parts() const { return part < local; }
};

/// The samples of a process in the memory of a backend, [n] or [n, S] as in trm::samples: number `first` of the whole batch and following.
template <class Master>
struct samples_at {
  int first;
  const int *inputs, *labels, *steps;
  const int *lengths, *prefixes;  // null: all rows count, none is of a prefix
  const unsigned char* reset;
  unsigned char* halted;
  int* predictions;
  token_result* token_results;
  halting_result* halting;
  Master* puzzle_rows;      // [n, W]
  Master* puzzle_gradient;  // [whole batch, W]
};

/// A micro-batch's part of everything.
template <class Model, class Backend>
struct micro_batch {
  call<Backend> c;
  step_input<typename Model::master> in;
  typename Model::carry z;
  typename Model::outputs out;
  int number;  // of its first sample in the whole batch
  const int* steps;
  unsigned char* halted;
  int* predictions;
  token_result* token_results;
  halting_result* halting;
};

/// What the gradient of a step is computed with, bound to a backend's memory, and the order in which it is.
template <class Model, class Backend>
struct step_gradient {
  using master = typename Model::master;  // of weights and gradients
  using prepared = typename Backend::template prepared<typename Model::compute, Model::template params>;
  using dense = typename Model::template params<master>;

  /// Where everything is, in the backend's memory.
  struct memory {
    const master* parameters;
    std::byte* derived;  // prepared::bytes(mode::training)
    const master* constants;
    master *gradient, *part_gradient;  // the second one only where there are parts
    std::byte *carry, *outputs;        // of the samples of this process
    std::byte* activations;            // of a micro-batch
  };

  Backend& backend;
  division samples;
  typename prepared::weights weights;
  typename Model::template constants<const master> constants;
  master *sum, *part_sum;
  dense gradients, part_gradients;
  typename Model::carry carry;
  typename Model::outputs outputs;
  typename Model::training_memory activations;

  /// Binds it.
  step_gradient(Backend& b, const division& d, const memory& m)
      : backend(b),
        samples(d),
        weights(prepared::bind(m.parameters, m.derived, mode::training)),
        constants(bind_parameters<Model::template constants, const master>(m.constants)),
        sum(m.gradient),
        part_sum(d.parts() ? m.part_gradient : m.gradient),
        gradients(bind_parameters<Model::template params, master>(sum)),
        part_gradients(bind_parameters<Model::template params, master>(part_sum)),
        carry(bind_activations<typename Model::carry>(m.carry, static_cast<std::size_t>(d.local))),
        outputs(bind_activations<typename Model::outputs>(m.outputs, static_cast<std::size_t>(d.local))),
        activations(
            bind_activations<typename Model::training_memory>(m.activations, static_cast<std::size_t>(d.micro))) {}

  /// The gradient of all samples of this process in `sum`: run(micro-batch, gradients) adds that of one to them.
  template <class Run>
  void compute(const samples_at<master>& s, Run run) {
    ops::clear(backend, sum, Model::extent);
    for (int first = 0; first < samples.part; first += samples.micro) run(at(s, first), gradients);
    for (int part = samples.part; part < samples.local; part += samples.part) {
      ops::clear(backend, part_sum, Model::extent);
      for (int first = part; first < part + samples.part; first += samples.micro) run(at(s, first), part_gradients);
      ops::add(backend, sum, part_sum, Model::extent);
    }
  }
  /// Forward, losses, backward of one: what it predicts and its results are written, its gradient times `scale` is added to g.
  void add(const micro_batch<Model, Backend>& m, const dense& g, int max_steps, double scale) {
    Model::forward(m.c, weights, constants, m.in, m.z, m.out, activations);
    Model::probe(m.c, weights, m.z, activations);
    Model::losses(m.c, m.in, m.out, m.steps, max_steps, scale, activations, m.predictions, m.token_results, m.halting);
    Model::backward(m.c, weights, g, m.in, m.z, m.out, activations);
  }
  /// The one that begins with sample `first` of this process.
  micro_batch<Model, Backend> at(const samples_at<master>& s, int first) const {
    const std::ptrdiff_t i = first, number = s.first + i, tokens = i * Model::S;
    const auto from = [&](const int* rows) { return rows == nullptr ? nullptr : rows + i; };
    return {{backend, samples.micro, Model::L, from(s.lengths), from(s.prefixes)},
            {s.inputs + tokens, s.labels + tokens, s.puzzle_rows + i * Model::W, s.puzzle_gradient + number * Model::W,
             s.reset + i},
            carry.from_sample(first, Model::L),
            {outputs.logits.from_sample(first, Model::S), outputs.q.from_sample(first, 1)},
            s.first + first,
            s.steps + i,
            s.halted + i,
            s.predictions + tokens,
            s.token_results + i,
            s.halting + i};
  }
};

}  // namespace trm::detail
