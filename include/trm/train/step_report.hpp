// SPDX-License-Identifier: MIT
// What a training step reports, or throws.
#pragma once
#include <cmath>
#include <optional>
#include <string>

#include "trm/backend/finite_observer.hpp"
#include "trm/core/error.hpp"
#include "trm/train/metrics.hpp"

namespace trm {

/// What a step reports.
struct step_report {
  long long step = 0;
  double learning_rate = 0;  // the one used
  double gradient_norm = 0;  // of the dense parameters, before clipping
  step_metrics metrics;      // of the samples that halted, over all processes
};

/// A loss or the gradient of a step is not finite.
class not_finite_error : public error {
 public:
  using error::error;
  /// Was everything finite before the step? Otherwise the last update, or what was loaded, is at fault, and the state is not worth
  /// keeping.
  bool state_finite = true;
};

namespace detail {

/// Were losses and gradient finite?
inline bool is_finite(const step_report& r) {
  return std::isfinite(r.metrics.loss()) && std::isfinite(r.gradient_norm);
}
/// What step `step`, which was not finite, throws; `first`: where that began, if it is known.
inline not_finite_error not_finite(long long step, const step_report& r, const std::optional<non_finite>& first) {
  std::string what = std::isfinite(r.metrics.loss()) ? "the gradient" : "the loss";
  what += " is not finite";
  if (first) what += ": " + first->text();
  not_finite_error e("step " + std::to_string(step), what);
  e.state_finite = !first || !first->before_step;
  return e;
}

}  // namespace detail

}  // namespace trm
