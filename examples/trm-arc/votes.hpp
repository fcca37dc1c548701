// SPDX-License-Identifier: MIT
// What trm-arc measures besides the metrics of all tasks: votes over augmentations, pass@k, the submission.
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

#include <fmt/core.h>

#include "../program/metrics.hpp"
#include "trm/data/arc/evaluator.hpp"

namespace trm_arc {

/// Votes on the test puzzles of a dataset folder.
class votes final : public program::scorer {
 public:
  /// `published`: the submission in the published layout.
  votes(const std::filesystem::path& dataset, bool published)
      : evaluator_(trm::arc::evaluator::open(dataset)), published_(published) {}

  void begin() override { evaluator_.clear(); }
  void add(const trm::batch& b, const trm::sequential_part& part, const program::any_solver& s) override {
    const trm::samples& state = s.samples();
    const auto n = static_cast<std::size_t>(state.tokens);
    const std::span<const int> inputs(state.inputs), answers(state.predictions);
    for (std::size_t i = 0; i < static_cast<std::size_t>(part.rows); ++i) {
      evaluator_.add(b.puzzle_identifiers.empty() ? 0 : b.puzzle_identifiers[i], inputs.subspan(i * n, n),
                     answers.subspan(i * n, n), state.halting[i].q_halt);
    }
  }
  void report(trm::json& result) override {
    const auto scores = evaluator_.result();
    for (const auto& pass : scores.passes) {
      result[fmt::format("ARC/pass@{}", pass.k)] = pass.per_task;
      result[fmt::format("ARC/pass@{} of inputs", pass.k)] = pass.per_input;
    }
    result["test_inputs"] = scores.inputs;
    result["test_inputs_without_prediction"] = scores.inputs_without_prediction;
  }
  void write(const std::filesystem::path& output) override {
    evaluator_.write_submission(output / "submission.json", {.attempts = 2, .published_layout = published_});
  }

 private:
  trm::arc::evaluator evaluator_;
  bool published_;
};

}  // namespace trm_arc
