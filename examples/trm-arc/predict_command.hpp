// SPDX-License-Identifier: MIT
// trm-arc predict.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "../program/device_option.hpp"
#include "../program/run.hpp"
#include "predict.hpp"
#include "trm/data/arc/render.hpp"
#include "trm/data/arc/task.hpp"

namespace trm_arc {

inline void print_predictions(const std::vector<prediction>& all) {
  const trm::arc::palette how = !program::shows_colours()      ? trm::arc::palette::plain
                                : program::shows_true_colour() ? trm::arc::palette::true_colour
                                                               : trm::arc::palette::ansi_256;
  for (const prediction& p : all) {
    fmt::print("{}, test {}: {}, halting confidence {:.3f}\n", p.task, p.test,
               p.known_puzzle ? "puzzle row from training" : "fresh puzzle row", p.confidence);
    std::vector<trm::arc::panel> panels{{"input", p.input}, {"predicted", p.output, p.truth}};
    if (p.truth) panels.push_back({"truth", *p.truth});
    fmt::print("{}", trm::arc::render(panels, how));
    if (p.truth) fmt::print("{}\n", *p.truth == p.output ? "right" : "wrong");
  }
}

inline trm::json to_json(const std::vector<prediction>& all) {
  trm::json tasks = trm::json::object();
  for (const prediction& p : all) {
    trm::json one = {{"prediction", trm::json::parse(trm::arc::to_json(p.output))},
                     {"confidence", p.confidence},
                     {"known_puzzle", p.known_puzzle}};
    if (p.truth) one["correct"] = *p.truth == p.output;
    tasks[p.task].push_back(one);
  }
  return tasks;
}

class predict_command {
 public:
  explicit predict_command(program::application& app) {
    CLI::App& c =
        app.command("predict", "Answer the test inputs of tasks",
                    "trm-arc predict --checkpoint runs/first/checkpoints/step_20000 00d62c1b.json", [this] { run(); });
    c.add_option("--checkpoint", o_.checkpoint, "Weights (safetensors, published names)")
        ->required()
        ->type_name("FILE");
    c.add_option("task", file_, "Task file: one task, or Kaggle's combined layout")->required()->type_name("FILE");
    c.add_option("--task", only_, "Only this task of the file");
    add_identifiers_option(c, o_.identifiers);
    add_new_row_option(c, o_.new_row);
    c.add_option("--preset", preset_, "Model, where the checkpoint does not say it");
    c.add_option("--max-steps", o_.max_steps, "Supervision steps")->capture_default_str()->check(CLI::PositiveNumber);
    program::add_device_option(c);
    c.add_option("--threads", o_.threads, "Threads; 0: all processors")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    c.add_flag("--int8", o_.int8, program::int8_option);
    c.add_flag("--json", json_, "Print the answers as JSON");
  }

 private:
  void run() {
    o_.tasks = trm::arc::read_tasks(file_);
    if (!only_.empty()) {
      std::erase_if(o_.tasks, [&](const trm::arc::task& t) { return t.id != only_; });
      if (o_.tasks.empty()) throw trm::error(file_, "has no task " + only_);
    }
    if (o_.identifiers.empty()) o_.identifiers = companion(o_.checkpoint, "identifiers.json");
    const auto all = predict(*program::preset_list().of_checkpoint(o_.checkpoint, preset_).make(), o_);
    if (json_) {
      fmt::print("{}\n", to_json(all).dump());
    } else {
      print_predictions(all);
    }
  }

  predict_options o_;
  std::string file_, only_, preset_;
  bool json_ = false;
};

}  // namespace trm_arc
