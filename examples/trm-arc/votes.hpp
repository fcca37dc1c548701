// SPDX-License-Identifier: MIT
// What trm-arc measures besides the metrics of all tasks: votes over augmentations, pass@k, the submission, the report.
#pragma once
#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "../program/metrics.hpp"
#include "../program/run.hpp"
#include "report.hpp"
#include "trm/data/arc/evaluator.hpp"
#include "trm/data/arc/evaluator_state.hpp"

namespace trm_arc {

struct vote_options {
  std::string voting = "pooled";  // or "per-round"
  bool published_submission = false;

  trm::arc::voting how() const {
    return voting == "per-round" ? trm::arc::voting::per_round : trm::arc::voting::pooled;
  }
};

inline void add_voting_option(CLI::App& c, vote_options& o, const std::string& about) {
  c.add_option("--voting", o.voting, about)->capture_default_str()->check(CLI::IsMember({"pooled", "per-round"}));
}

/// Votes on the test puzzles of a dataset folder.
class votes final : public program::scorer {
 public:
  /// `configuration`, where given: this is `evaluate`, whose numbers count the submission, and whose report shows these options.
  votes(std::filesystem::path dataset, const vote_options& o, std::function<std::string()> configuration)
      : dataset_(std::move(dataset)),
        evaluator_(trm::arc::evaluator::open(dataset_)),
        options_(o),
        configuration_(std::move(configuration)) {}

  void begin() override {
    before_ = evaluator_.state();
    evaluator_.begin_round();
  }
  void cancel() override { evaluator_.restore(before_, "votes"); }
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
    result.update(trm::arc::to_json(evaluator_.result(options_.how())));
    if (!configuration_) return;
    trm::arc::submission_counts counts;
    submission_ = evaluator_.submission(submission_form(), options_.how(), &counts);
    result.update(trm::arc::to_json(counts));
  }
  void write(const std::filesystem::path& output) override {
    trm::write_file(output / "submission.json", submission_);
    const trm::arc::evaluation scores = evaluator_.result(options_.how());
    program::report::evaluation_report page{.program = "trm-arc",
                                            .title = "ARC evaluation of " + dataset_.string(),
                                            .passes = shown_passes(scores.passes),
                                            .tasks = {},
                                            .configuration = configuration_ ? configuration_() : std::string(),
                                            .facts = facts_of(trm::arc::to_json(scores))};
    for (std::size_t t = 0; t < evaluator_.tasks().size(); ++t) {
      page.tasks.push_back(shown_task(evaluator_.tasks()[t], evaluator_.view(t, attempts, options_.how())));
    }
    trm::write_file(output / "report.html", program::report::to_html(page));
  }
  std::vector<std::string> save(const std::filesystem::path& checkpoint) const override {
    trm::arc::write_evaluator_state(checkpoint / saved_votes, evaluator_.state());
    return {saved_votes};
  }
  void restore(const std::filesystem::path& checkpoint) override {
    const std::filesystem::path file = checkpoint / saved_votes;
    evaluator_.restore(trm::arc::read_evaluator_state(file), file.string());
  }

 private:
  static constexpr const char* saved_votes = "votes.safetensors";
  static constexpr std::size_t attempts = 2;
  trm::arc::submission_options submission_form() const {
    return {.attempts = attempts, .published_layout = options_.published_submission};
  }

  std::filesystem::path dataset_;
  trm::arc::evaluator evaluator_;
  trm::arc::evaluator_state before_;  // this evaluation
  vote_options options_;
  std::function<std::string()> configuration_;
  std::string submission_;
};

}  // namespace trm_arc
