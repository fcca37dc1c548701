// SPDX-License-Identifier: MIT
// What a step on the device says of its samples: gathered over all processes, summed in their order, looked at for what is not finite.
#pragma once
#include <cstddef>

#include "trm/backend/cuda/block.hpp"
#include "trm/backend/cuda/device.hpp"
#include "trm/backend/cuda/step_state.hpp"
#include "trm/train/cuda/samples.hpp"
#include "trm/train/metrics.hpp"

namespace trm::cuda {

/// What is told of each sample to all processes.
struct sample_result {
  trm::token_result tokens;  // of its loss
  halting_result halting;    // of its Q head
  /// Supervision steps done, and its row of the puzzle table.
  int steps = 0, puzzle_identifier = 0;
  unsigned char halted = 0;  // is it done?
};

/// What the device says of a step.
struct device_report {
  step_metrics metrics;      // of the samples that halted, over all processes
  double gradient_norm = 0;  // of the dense parameters
  int finite = 1;  // were losses and gradient finite, of this step and of all before that were not taken back?
};

namespace detail {

/// results[i] and identifiers of the samples of this process, from number `first` of the whole batch on. A thread a sample.
struct pack_results_kernel {
  sample_arrays s;
  sample_result* results;  // [whole batch]
  int first, count;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const int i = b.index() * b.threads() + b.thread();
    if (i >= count) return;
    sample_result r;
    r.tokens = s.token_results[i], r.halting = s.halting[i];
    r.steps = s.steps[i], r.puzzle_identifier = s.puzzle_identifiers[i], r.halted = s.halted[i];
    results[first + i] = r;
  }
};

/// The metrics of all samples, each sum in the order of the samples, the bits of step_metrics::add one after the other; and whether
/// anything was not finite, now or before. One warp.
struct report_kernel {
  const sample_result* results;  // [count]
  int* identifiers;              // [count], written
  int count;
  step_state* state;  // its `finite` joins what the losses say
  device_report* report;

  static constexpr int sums = 8;
  static constexpr std::size_t shared_bytes = sums * warp_size * sizeof(double);

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    double* part = b.template shared<double>();  // [sums][warp_size]
    const int lane = b.thread();
    double sum = 0;
    for (int first = 0; first < count; first += warp_size) {
      step_metrics m;
      if (first + lane < count) {
        const sample_result r = results[first + lane];
        identifiers[first + lane] = r.puzzle_identifier;
        m.add(r.tokens, r.halting, r.steps, r.halted != 0);
      }
      const double values[sums] = {m.count, m.accuracy, m.exact_accuracy, m.q_halt_accuracy,
                                   m.steps, m.lm_loss,  m.q_halt_loss,    m.q_continue_loss};
      for (int q = 0; q < sums; ++q) part[q * warp_size + lane] = values[q];
      b.sync();
      if (lane < sums) {
        const int n = count - first < warp_size ? count - first : warp_size;
        for (int j = 0; j < n; ++j) sum += part[lane * warp_size + j];
      }
      b.sync();
    }
    if (lane < sums) part[lane] = sum;
    b.sync();
    if (lane != 0) return;
    step_metrics m;
    m.count = part[0], m.accuracy = part[1], m.exact_accuracy = part[2], m.q_halt_accuracy = part[3], m.steps = part[4];
    m.lm_loss = part[5], m.q_halt_loss = part[6], m.q_continue_loss = part[7];
    const double loss = m.loss();
    const bool bounded = loss - loss == 0;  // neither an infinity nor a NaN
    const bool finite = bounded && state->finite != 0 && report->finite != 0;
    state->finite = finite ? 1 : 0;
    report->metrics = m;
    report->gradient_norm = state->gradient_norm;
    report->finite = finite ? 1 : 0;
  }
};

/// to = from, unless something was not finite before: what is kept is then the state before that. 16 bytes a thread.
struct keep_kernel {
  const device_report* report;
  const void* from;
  void* to;
  std::size_t size;  // bytes, of whole 16

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    if (report->finite == 0) return;
    struct alignas(16) piece {
      unsigned long long half[2];
    };
    const std::size_t n = size / sizeof(piece),
                      i = static_cast<std::size_t>(b.index()) * static_cast<std::size_t>(b.threads()) +
                          static_cast<std::size_t>(b.thread());
    if (i < n) static_cast<piece*>(to)[i] = static_cast<const piece*>(from)[i];
  }
};

}  // namespace detail

}  // namespace trm::cuda
