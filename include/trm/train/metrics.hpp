// SPDX-License-Identifier: MIT
// Metrics of a step, by their published definitions.
#pragma once
#include <span>

#include "trm/core/hd.hpp"
#include "trm/ops/cross_entropy.hpp"
#include "trm/ops/halting.hpp"

namespace trm {

/// Sums, not means, over the samples of a step (or of several: +=). `count`, `accuracy`, `exact_accuracy`, `q_halt_accuracy` and
/// `steps` are over the samples that halted at this step and have labels: of these the mean_ functions give means. The losses are over
/// all samples: a step's loss for a sample is loss() / batch.
struct step_metrics {
  double count = 0, accuracy = 0, exact_accuracy = 0, q_halt_accuracy = 0, steps = 0;
  double lm_loss = 0, q_halt_loss = 0, q_continue_loss = 0;  // sums over all samples

  /// lm_loss + (q_halt_loss + q_continue_loss) / 2
  TRM_HD double loss() const { return lm_loss + 0.5 * (q_halt_loss + q_continue_loss); }

  // Means over the `count` samples, 0 where none is counted.
  double mean_accuracy() const { return mean(accuracy); }                // share of the tokens that are right
  double mean_exact_accuracy() const { return mean(exact_accuracy); }    // share of samples with every token right
  double mean_q_halt_accuracy() const { return mean(q_halt_accuracy); }  // share of samples about which q_halt is right
  double mean_steps() const { return mean(steps); }                      // supervision steps until halting

  /// Those of more samples.
  step_metrics& operator+=(const step_metrics& o) {
    count += o.count, accuracy += o.accuracy, exact_accuracy += o.exact_accuracy, q_halt_accuracy += o.q_halt_accuracy,
        steps += o.steps;
    lm_loss += o.lm_loss, q_halt_loss += o.q_halt_loss, q_continue_loss += o.q_continue_loss;
    return *this;
  }
  /// Adds one sample.
  TRM_HD void add(const token_result& t, const halting_result& q, int sample_steps, bool halted) {
    lm_loss += t.loss, q_halt_loss += q.halt_loss, q_continue_loss += q.continue_loss;
    if (!halted || t.supervised == 0) return;
    count += 1;
    accuracy += static_cast<double>(t.correct) / t.supervised;
    exact_accuracy += t.exact();
    q_halt_accuracy += (q.q_halt >= 0) == t.exact();
    steps += sample_steps;
  }

 private:
  double mean(double sum) const { return count > 0 ? sum / count : 0; }
};

}  // namespace trm
