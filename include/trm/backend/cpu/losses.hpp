// SPDX-License-Identifier: MIT
// Losses of one sample, by the formulas of every backend: token cross-entropy, the Q head's losses, the decision to halt.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "trm/core/hd.hpp"
#include "trm/core/random.hpp"
#include "trm/core/view.hpp"
#include "trm/ops/cross_entropy.hpp"
#include "trm/ops/halting.hpp"

namespace trm::cpu::detail {

/// s(x) of stablemax and its derivative.
struct stablemax_terms {
  TRM_HD static double value(double x) { return x < 0 ? 1 / (1 - x) : x + 1; }
  TRM_HD static double derivative(double x) { return x < 0 ? 1 / ((1 - x) * (1 - x)) : 1; }
};

/// Loss of one token with label `label`, and with a gradient view d = factor * d loss / d logits.
template <class Loss, class X, class G>
TRM_HD double token_loss(const X* x, int n, int label, int largest, double factor, G* d) {
  if constexpr (std::is_same_v<Loss, stablemax>) {
    double sum = 0;
    for (int i = 0; i < n; ++i) sum += stablemax_terms::value(static_cast<double>(x[i]));
    const double s = stablemax_terms::value(static_cast<double>(x[label]));
    if (d != nullptr) {
      for (int i = 0; i < n; ++i) {
        const double xi = static_cast<double>(x[i]);
        d[i] = static_cast<G>(factor * stablemax_terms::derivative(xi) * (1 / sum - (i == label ? 1 / s : 0)));
      }
    }
    return -std::log(s / sum);
  } else {
    const double top = static_cast<double>(x[largest]);
    double sum = 0;
    for (int i = 0; i < n; ++i) sum += std::exp(static_cast<double>(x[i]) - top);
    if (d != nullptr) {
      for (int i = 0; i < n; ++i) {
        d[i] = static_cast<G>(factor * (std::exp(static_cast<double>(x[i]) - top) / sum - (i == label ? 1 : 0)));
      }
    }
    return std::log(sum) - (static_cast<double>(x[label]) - top);
  }
}

template <class Loss, class X, class G>
token_result cross_entropy_sample(int b, int rows, X logits, const int* labels, double scale, G d_logits,
                                  int* predictions) {
  using T = typename X::value_type;
  constexpr int V = X::width;
  const strides s = logits.steps(rows);
  token_result result;
  for (int r = 0; r < rows; ++r) result.supervised += labels[r] != ignored_label;
  const double mean = 1.0 / std::max(result.supervised, 1);
  for (int r = 0; r < rows; ++r) {
    const T* x = logits.data + b * s.sample + r * s.row;
    T* d = nullptr;
    if constexpr (is_view<G>) d = d_logits.data + b * s.sample + r * s.row;
    int largest = 0;
    for (int i = 1; i < V; ++i) {
      if (static_cast<double>(x[i]) > static_cast<double>(x[largest])) largest = i;
    }
    predictions[r] = largest;
    if (labels[r] == ignored_label) {
      if (d != nullptr) std::fill(d, d + V, T{});
      continue;
    }
    result.loss += mean * token_loss<Loss>(x, V, labels[r], largest, scale * mean, d);
    result.correct += largest == labels[r];
  }
  return result;
}

/// max(x, 0) - x t + log(1 + exp(-|x|))
TRM_HD inline double binary_cross_entropy(double x, double t) {
  return std::max(x, 0.0) - x * t + std::log1p(std::exp(-std::abs(x)));
}
TRM_HD inline double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

template <class Q, class N, class G>
TRM_HD halting_result halting_loss_sample(int b, Q q, N next_q, bool exact, bool last_step, double scale, G dq) {
  halting_result r;
  r.q_halt = static_cast<float>(q.at(1, b, 0, 0));
  r.q_continue = static_cast<float>(q.at(1, b, 0, 1));
  const double x = static_cast<double>(q.at(1, b, 0, 0)), y = static_cast<double>(q.at(1, b, 0, 1)),
               right = exact ? 1 : 0;
  r.halt_loss = binary_cross_entropy(x, right);
  double d_continue = 0;
  if constexpr (is_view<N>) {
    const double halt = static_cast<double>(next_q.at(1, b, 0, 0)), go_on = static_cast<double>(next_q.at(1, b, 0, 1));
    const double target = sigmoid_of(last_step ? halt : std::max(halt, go_on));
    r.continue_loss = binary_cross_entropy(y, target);
    d_continue = sigmoid_of(y) - target;
  }
  if constexpr (is_view<G>) {
    using T = typename G::value_type;
    dq.at(1, b, 0, 0) = static_cast<T>(0.5 * scale * (sigmoid_of(x) - right));
    dq.at(1, b, 0, 1) = static_cast<T>(0.5 * scale * d_continue);
  }
  return r;
}

/// The minimum number of steps of sample `b` of the call at this point of the run.
TRM_HD inline int minimum_steps(halting_rule rule, draw_key key, std::uint32_t b) {
  const philox draw{key.seed};
  const std::uint32_t sample = key.first_sample + b;
  if (!(draw.at(purpose::exploration_chance, key.step, sample).uniform64() < rule.exploration)) return 0;
  const auto choices = static_cast<std::uint64_t>(rule.max_steps - 1);  // 2, ..., max_steps
  return 2 + static_cast<int>(draw.at(purpose::exploration_steps, key.step, sample).below(choices));
}

/// The decision for sample `b` of the call after `steps` supervision steps.
TRM_HD inline bool halts(halting_rule rule, draw_key key, std::uint32_t b, const halting_result& q, int steps) {
  bool halted = steps >= rule.max_steps;
  if (!rule.adaptive || rule.max_steps <= 1) return halted;
  halted = halted || (rule.against_continue ? q.q_halt > q.q_continue : q.q_halt > 0);
  return halted && steps >= minimum_steps(rule, key, b);
}

}  // namespace trm::cpu::detail
