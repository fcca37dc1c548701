// SPDX-License-Identifier: MIT
// What a model will take, known at compile time: bytes of each kind of memory, FLOPs and launches of a step.
#pragma once
#include <cstddef>

#include "trm/backend/count.hpp"
#include "trm/models/model.hpp"

namespace trm {

/// What one training step of M does (one micro-batch of `batch` samples), counted by running the step's own code on the backend that computes nothing.
template <class M>
constexpr count count_training_step(int batch, int rows = M::L) {
  count k;
  const call<count> c{k, batch, rows};
  typename M::template params<float> p{};
  typename M::template constants<float> initial{};
  typename M::training_memory m{};
  M::forward(c, p, initial, {}, {}, {}, m);
  M::probe(c, p, {}, m);
  M::backward(c, p, p, {}, {}, {}, m);
  return k;
}

/// What one supervision step without a gradient does.
template <class M>
constexpr count count_inference_step(int batch, int rows = M::L) {
  count k;
  const call<count> c{k, batch, rows};
  typename M::template params<float> p{};
  typename M::template constants<float> initial{};
  typename M::inference_memory m{};
  M::infer(c, p, initial, {}, {}, {}, m);
  return k;
}

/// Bytes of each kind, for a batch that is worked through in micro-batches, and the FLOPs of a step.
struct memory_plan {
  std::size_t parameters = 0, gradients = 0, moments = 0, ema = 0, constants = 0;  // of the model, whatever the batch
  std::size_t carry = 0;        // states between steps, of the whole batch
  std::size_t undo = 0;         // the carry before the step, for training_options::undoable
  std::size_t outputs = 0;      // logits and Q values of the whole batch
  std::size_t activations = 0;  // saved and scratch, of a micro-batch
  double flops = 0;             // of one step over the whole batch

  /// The sum of all kinds, in bytes.
  constexpr std::size_t total() const {
    return parameters + gradients + moments + ema + constants + carry + undo + outputs + activations;
  }
};

/// The plan of training M with `batch` samples a step, `micro_batch` at a time (0: all at once). A backend adds
/// what it keeps itself: prepared weights and scratch of its operations.
template <class M>
constexpr memory_plan plan(int batch, int micro_batch = 0) {
  using T = typename M::master;
  const int micro = micro_batch == 0 ? batch : micro_batch;
  const auto samples = static_cast<std::size_t>(batch);
  memory_plan p;
  p.parameters = p.gradients = p.ema = M::extent * sizeof(T);
  p.moments = 2 * p.parameters;
  p.constants = M::constant_extent * sizeof(T);
  p.carry = p.undo = samples * sample_bytes<typename M::carry>();
  p.outputs = samples * sample_bytes<typename M::outputs>();
  p.activations = static_cast<std::size_t>(micro) * sample_bytes<typename M::training_memory>();
  p.flops = count_training_step<M>(1).flops() * batch;
  return p;
}

/// The plan of inference with `batch` samples.
template <class M>
constexpr memory_plan inference_plan(int batch) {
  using T = typename M::master;
  const auto samples = static_cast<std::size_t>(batch);
  memory_plan p;
  p.parameters = M::extent * sizeof(T);
  p.constants = M::constant_extent * sizeof(T);
  p.carry = samples * sample_bytes<typename M::carry>();
  p.outputs = samples * sample_bytes<typename M::outputs>();
  p.activations = samples * sample_bytes<typename M::inference_memory>();
  p.flops = count_inference_step<M>(1).flops() * batch;
  return p;
}

}  // namespace trm
