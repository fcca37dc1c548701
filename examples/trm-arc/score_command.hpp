// SPDX-License-Identifier: MIT
// trm-arc score.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>

#include <fmt/core.h>

#include "../program/evaluation.hpp"
#include "../program/run.hpp"
#include "../program/run_folder.hpp"
#include "report.hpp"
#include "trm/data/arc/score.hpp"

namespace trm_arc {

class score_command {
 public:
  explicit score_command(program::application& app) {
    CLI::App& c = app.command("score", "Grade a submission, anybody's, against known solutions",
                              "trm-arc score evaluation/submission.json --source kaggle/combined --subset evaluation2",
                              [this] { run(); });
    c.add_option("submission", submission_, "Submission file")->required()->type_name("FILE");
    c.add_option("--source", source_,
                 "Where the tasks and solutions are: a dataset folder, a folder of Kaggle's combined files (the "
                 "collection that fits best), a file of tasks or a folder of them")
        ->required()
        ->type_name("PATH");
    c.add_option("--subset", subset_, "Subset of the combined files: training, evaluation2, ...");
    c.add_option("--output", output_, "Folder for score.json and report.html")->type_name("FOLDER");
    c.add_flag("--json", json_, "Print the score as JSON");
  }

 private:
  void run() const {
    const std::string text = trm::read_file(submission_);
    const trm::arc::graded_tasks against =
        trm::arc::tasks_to_grade(source_, trm::parse_json(text, submission_.string()), subset_);
    const trm::arc::score score = trm::arc::grade(text, submission_.string(), against.tasks);
    trm::json result = trm::arc::to_json(score);
    result["graded_against"] = against.name;
    if (!output_.empty()) write(score, against, result);
    if (json_) {
      fmt::print("{}\n", result.dump());
      return;
    }
    result.erase("problems");
    program::print_metrics(result);
    for (const std::string& problem : score.problems) fmt::print("{}\n", problem);
  }

  void write(const trm::arc::score& score, const trm::arc::graded_tasks& against, const trm::json& result) const {
    program::report::evaluation_report page{.program = "trm-arc",
                                            .title = "Score of " + submission_.filename().string(),
                                            .passes = shown_passes(score.passes),
                                            .tasks = {},
                                            .configuration = {},
                                            .facts = facts_of(result)};
    for (std::size_t t = 0; t < score.views.size(); ++t) {
      page.tasks.push_back(shown_task(against.tasks[t], score.views[t]));
    }
    program::make_folder(output_);
    trm::write_file(output_ / "score.json", result.dump(2) + "\n");
    trm::write_file(output_ / "report.html", program::report::to_html(page));
  }

  std::filesystem::path submission_, source_, output_;
  std::string subset_;
  bool json_ = false;
};

}  // namespace trm_arc
