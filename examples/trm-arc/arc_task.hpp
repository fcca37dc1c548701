// SPDX-License-Identifier: MIT
// ARC as a task of the shared commands.
#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../program/report/arc_drawing.hpp"
#include "../program/task.hpp"
#include "trm/data/arc/encoding.hpp"
#include "votes.hpp"

namespace trm_arc {

class arc_task final : public program::task {
 public:
  std::string program() const override { return "trm-arc"; }
  std::string title(const program::example_data& data) const override {
    const int side = trm::arc::canvas_side(static_cast<std::size_t>(data.metadata.seq_len));
    return fmt::format("ARC, {} tasks, grids of up to {} \u00d7 {}", data.metadata.total_groups, side, side);
  }
  std::string training_example() const override {
    return "trm-arc train --data data/arc2 --run runs/first --preset small --steps 20000 --lr 1e-3";
  }
  std::string evaluation_example() const override {
    return "trm-arc evaluate --data data/arc2 --checkpoint runs/first/checkpoints/step_20000 --output "
           "evaluation";
  }
  std::string data_help() const override { return "Dataset folders"; }
  void add_training_options(CLI::App& c) override {
    add_voting_option(c, votes_,
                      "Which votes an evaluation counts: pooled, over all evaluations of the run so far, as published; "
                      "per-round, its own alone");
  }
  void add_evaluation_options(CLI::App& c) override {
    evaluation_ = &c;
    c.get_option("--output")
        ->description(
            "Folder for metrics.json and what is saved; of a test split also submission.json and report.html");
    add_voting_option(c, votes_,
                      "Which votes count, pooled or per-round: one evaluation is one round, and both are alike");
    c.add_flag("--published-submission", votes_.published_submission,
               "Leave test inputs without a prediction out of the submission, as the published code does");
  }
  bool has_split(const program::paths& data, const std::string& split) const override {
    return program::is_dataset(data.front(), split);
  }
  program::example_data open(const program::paths& data, const std::string& split, bool, std::uint64_t) const override {
    return program::open_dataset(data, split);
  }
  /// With the names of the puzzles, and what is asked of them.
  program::paths files(const program::paths& data, const std::string& split) const override {
    program::paths all = program::dataset_files(data, split);
    for (auto& file : companions(data)) all.push_back(std::move(file));
    return all;
  }
  program::drawing draw() const override {
    using tokens = program::drawing::tokens;
    const auto shown = [](tokens canvas) { return trm::arc::crop(canvas, trm::arc::canvas_side(canvas.size())); };
    // A label that does not count is beyond the grid.
    const auto truth_of = [shown](tokens labels) {
      std::vector<int> canvas(labels.begin(), labels.end());
      for (int& t : canvas) t = t == trm::ignored_label ? 0 : t;
      return shown(canvas);
    };
    return {[=](tokens inputs) { return program::report::arc_grid(shown(inputs)); },
            [=](tokens, tokens labels) { return program::report::arc_grid(truth_of(labels)); },
            [=](tokens, tokens labels, tokens answer) {
              const trm::arc::grid truth = truth_of(labels);
              return program::report::arc_grid(shown(answer), &truth);
            }};
  }
  std::unique_ptr<program::scorer> scores(const program::paths& data, const std::string& split) const override {
    if (split != "test" || !std::filesystem::exists(data.front() / "test_puzzles.json")) return nullptr;
    if (evaluation_ == nullptr || !evaluation_->parsed()) return std::make_unique<votes>(data.front(), votes_, nullptr);
    return std::make_unique<votes>(data.front(), votes_, [c = evaluation_] { return program::to_toml(*c); });
  }
  program::paths companions(const program::paths& data) const override {
    program::paths files;
    for (const char* name : {"identifiers.json", "test_puzzles.json"}) {
      if (std::filesystem::exists(data.front() / name)) files.push_back(data.front() / name);
    }
    return files;
  }

 private:
  vote_options votes_;
  CLI::App* evaluation_ = nullptr;
};

}  // namespace trm_arc
