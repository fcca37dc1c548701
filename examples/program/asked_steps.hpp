// SPDX-License-Identifier: MIT
// The steps of a run as they are asked of a trainer, one ahead of their reports where a device works meanwhile.
#pragma once
#include <deque>
#include <optional>
#include <span>

#include "any_model.hpp"
#include "any_source.hpp"
#include "trm/data/batch.hpp"
#include "trm/data/group_sampler.hpp"
#include "trm/train/metrics.hpp"

namespace program {

/// What lies in the memory, as a trainer takes it.
inline trm::batch offered(trm::batch_memory& memory, bool puzzles) {
  const trm::batch_view view = memory.view();
  return {view.inputs, view.labels, puzzles ? std::span<const int>(view.puzzle_identifiers) : std::span<const int>()};
}

/// Draws batches from the sampler and asks the trainer for a step with each. Where all steps have their report the sampler is behind
/// the batch of the last one; so both may be saved then, and then alone.
class asked_steps {
 public:
  /// `puzzles`: the model has puzzle rows. All must outlive it.
  asked_steps(any_trainer& trainer, trm::group_sampler<any_source>& sampler, trm::batch_memory& memory, bool puzzles)
      : trainer_(trainer), sampler_(sampler), view_(memory.view()), offered_(offered(memory, puzzles)) {}

  /// How many have been asked for and have no report yet.
  int waiting() const { return static_cast<int>(before_.size()); }
  /// The next step. Returns the report that is there, of this step or of the one before. \throws as finish() does
  std::optional<trm::step_report> ask() {
    before_.push_back(sampler_.state());
    sampler_.next(view_);
    return report([&] { return trainer_.ask(offered_); });
  }
  /// The report of the last step where it has none yet.
  /// \throws trm::not_finite_error; trainer and sampler are then as before the step that failed, and nothing waits
  std::optional<trm::step_report> finish() {
    if (before_.empty()) return std::nullopt;
    return report([&] { return trainer_.finish(); });
  }

 private:
  template <class F>
  std::optional<trm::step_report> report(F f) {
    try {
      const std::optional<trm::step_report> r = f();
      if (r) before_.pop_front();
      return r;
    } catch (const trm::not_finite_error&) {
      sampler_.restore(before_.front());
      before_.clear();
      throw;
    }
  }

  any_trainer& trainer_;
  trm::group_sampler<any_source>& sampler_;
  trm::batch_view view_;
  trm::batch offered_;
  std::deque<trm::sampler_state> before_;  // each of those that wait
};

}  // namespace program
