// SPDX-License-Identifier: MIT
// Losses and halting on a device: the CPU's formulas, a block for each sample's tokens, a thread for each sample's Q values.
#pragma once
#include <cstddef>
#include <cstdint>

#include "trm/backend/cpu/losses.hpp"
#include "trm/backend/cuda/block.hpp"
#include "trm/backend/cuda/step_state.hpp"
#include "trm/core/view.hpp"
#include "trm/ops/cross_entropy.hpp"
#include "trm/ops/halting.hpp"

namespace trm::cuda::detail {

/// See ops::cross_entropy; a thread for each token. Logits and their gradient are channels_last.
template <class Loss, class T, bool Gradient>
struct cross_entropy_kernel {
  const T* logits;
  std::ptrdiff_t sample;  // distance of samples in logits and d_logits
  int rows, vocabulary;
  const int* labels;
  double scale;
  T* d_logits;
  int* predictions;
  token_result* results;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    double* parts = b.template shared<double>();
    int* counts = b.template shared<int>();
    const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(b.index()) * rows;
    int supervised = 0;
    for (int r = b.thread(); r < rows; r += b.threads()) supervised += labels[first + r] != ignored_label;
    supervised = block_sum(b, supervised, counts);
    const double mean = 1.0 / (supervised > 1 ? supervised : 1);
    double loss = 0;
    int correct = 0;
    for (int r = b.thread(); r < rows; r += b.threads()) {
      const int label = labels[first + r];
      const std::ptrdiff_t at = b.index() * sample + static_cast<std::ptrdiff_t>(r) * vocabulary;
      const T* x = logits + at;
      T* d = nullptr;
      if constexpr (Gradient) d = d_logits + at;
      int largest = 0;
      for (int i = 1; i < vocabulary; ++i) {
        if (static_cast<double>(x[i]) > static_cast<double>(x[largest])) largest = i;
      }
      predictions[first + r] = largest;
      if (label == ignored_label) {
        if constexpr (Gradient) {
          for (int i = 0; i < vocabulary; ++i) d[i] = T(0.0f);
        }
        continue;
      }
      loss += mean * cpu::detail::token_loss<Loss>(x, vocabulary, label, largest, scale * mean, d);
      correct += largest == label;
    }
    loss = block_sum(b, loss, parts);
    correct = block_sum(b, correct, counts);
    if (b.thread() == 0) results[b.index()] = {loss, supervised, correct};
  }
};

/// See ops::halting_loss; a thread for each sample.
template <class Q, class N, class G>
struct halting_loss_kernel {
  Q q;
  N next_q;
  const token_result* results;
  const int* steps;
  int batch, max_steps;
  double scale;
  G dq;
  halting_result* out;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const int i = b.index() * b.threads() + b.thread();
    if (i >= batch) return;
    out[i] = cpu::detail::halting_loss_sample(i, q, next_q, results[i].exact(), steps[i] >= max_steps, scale, dq);
  }
};

/// See ops::halt; a thread for each sample.
struct halt_kernel {
  halting_rule rule;
  draw_key key;             // where `state` is null; first_sample always
  const step_state* state;  // seed and step, where it is there
  const halting_result* q;
  const int* steps;
  unsigned char* halted;
  int batch;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const int i = b.index() * b.threads() + b.thread();
    if (i >= batch) return;
    draw_key k = key;
    if (state != nullptr) k.seed = state->seed, k.step = state->step;
    halted[i] = cpu::detail::halts(rule, k, static_cast<std::uint32_t>(i), q[i], steps[i]);
  }
};

}  // namespace trm::cuda::detail
