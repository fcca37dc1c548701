// SPDX-License-Identifier: MIT
// The commands train, evaluate and init of every program.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "any_model.hpp"
#include "dataset_files.hpp"
#include "evaluation.hpp"
#include "follower.hpp"
#include "orders.hpp"
#include "processes.hpp"
#include "run.hpp"
#include "task.hpp"
#include "training.hpp"

namespace program {

class train_command {
 public:
  train_command(application& app, task& t) : app_(app), task_(t) {
    s_.preset = "small";
    c_ = &app.command(
        "train", "Train a model, or go on with its training", t.training_example(), [this] { run(); },
        [this] { prepare(); }, [this] { return options_of_run(); });
    c_->add_option("--data", data_, t.data_help() + ", separated by commas")
        ->required()
        ->delimiter(',')
        ->type_name("FOLDER");
    t.add_training_options(*c_);
    add_training_options(*c_, s_, presets_);
    app.in_several_processes(*c_);
    c_->footer("Presets:\n" + presets_.descriptions() + "\n" + c_->get_footer());
  }

 private:
  /// The options of a run that is gone on with.
  std::filesystem::path options_of_run() const {
    if (run_folder::holds_run(s_.run)) return s_.run / run_folder::configuration_file;
    if (s_.resume) throw trm::error(s_.run.string(), "holds no run to go on with: leave out --resume to begin one");
    return {};
  }
  void prepare() {
    train_ = task_.open(data_, "train", true, s_.training.seed);
    // Its numbers are the same on all devices, so the options can be asked for where there is no GPU.
    const std::string device = app_.prints_options() ? "cpu" : chosen_device();
    preset_ = &presets_.find(s_.preset, train_.metadata.seq_len, device);
    for (const CLI::Option* o : c_->get_options()) {
      if (o->count() > 0) s_.said.insert(name_in_file(*o));
    }
    take_preset(*c_, s_, *preset_);
  }
  void run() {
    training_task on;
    std::unique_ptr<scorer> score;
    trm::together(processes(), [&] {
      on = {.program = task_.program(),
            .title = task_.title(train_),
            .train = train_,
            .test = {},
            .score = nullptr,
            .draw = task_.draw(),
            .copies = task_.companions(data_),
            .splits = {facts("train")}};
      if (task_.has_split(data_, "test")) {
        on.test = task_.open(data_, "test", false, 0);
        on.splits.push_back(facts("test"));
      }
      score = task_.scores(data_, on.test ? "test" : "train");
    });
    on.score = score.get();
    require_agreement_on(on);
    if (!first_process()) return follower(*preset_, on, s_).run();
    const leading others;
    training_run(*preset_, on, s_, to_toml(*c_)).run();
  }
  /// Before processes begin to work together.
  void require_agreement_on(const training_task& on) const {
    if (alone()) return;
    std::vector<trm::fact> facts{{"version", trm::version_string}, {"device", chosen_device()}};
    for (const auto& split : on.splits) facts.push_back({"dataset", split.fingerprint()});
    const auto values = option_values(to_toml(*c_), "train", "options");
    for (const CLI::Option* option : c_->get_options()) {
      const std::string name = option->get_single_name();
      // Where files lie may be another place on every machine.
      if (name == "data" || name == "run" || name == "init-from" || name == "threads") continue;
      const auto at = values.find(name);
      facts.push_back({"--" + name, at == values.end() ? "" : at->second});
    }
    trm::require_agreement(processes(), facts);
  }

  dataset_facts facts(const std::string& split) const { return hash_dataset(task_, data_, split); }

  const application& app_;
  task& task_;
  preset_list presets_;
  training_settings s_;
  paths data_;
  example_data train_;
  CLI::App* c_ = nullptr;
  const preset* preset_ = nullptr;
};

class evaluate_command {
 public:
  evaluate_command(application& app, task& t) : task_(t) {
    CLI::App& c = app.command("evaluate", "Evaluate a checkpoint", t.evaluation_example(), [this] { run(); });
    c.add_option("--data", data_, t.data_help() + ", separated by commas")
        ->required()
        ->delimiter(',')
        ->type_name("FOLDER");
    c.add_option("--split", split_, "train or test")->capture_default_str();
    add_evaluation_options(c, o_);
    t.add_evaluation_options(c);
    app.in_several_processes(c);
  }

 private:
  void run() {
    example_data data;
    std::unique_ptr<scorer> score;
    std::unique_ptr<any_model> model;
    std::vector<trm::fact> facts;
    const preset_list presets;
    trm::together(processes(), [&] {
      data = task_.open(data_, split_, false, 0);
      score = task_.scores(data_, split_);
      model = presets.of_checkpoint(o_.checkpoint, o_.preset, data.metadata.seq_len).make();
      facts = facts_to_agree_on();
    });
    trm::require_agreement(processes(), facts);
    evaluate(*model, data, split_, o_, score.get());
  }
  std::vector<trm::fact> facts_to_agree_on() const {
    if (alone()) return {};
    const auto files = trm::model_files::open(o_.checkpoint, trm::model_files::verify::sizes);
    return {{"version", trm::version_string},
            {"device", chosen_device()},
            {"dataset", hash_dataset(task_, data_, split_).fingerprint()},
            {"weights", trm::sha256_of_file(files.weights().path())},
            {"batch and steps", fmt::format("{}, {}", o_.batch, o_.how.exit.max_steps)}};
  }

  task& task_;
  evaluation_options o_;
  paths data_;
  std::string split_ = "test";
};

/// Writes an untrained checkpoint.
class init_command {
 public:
  init_command(application& app, task& t) : task_(t) {
    CLI::App& c =
        app.command("init", "Write an untrained checkpoint",
                    fmt::format("{} init --preset small --data data/first --output initial.safetensors", t.program()),
                    [this] { run(); });
    c.add_option("--preset", preset_, "Model: " + preset_list().names())->capture_default_str();
    c.add_option("--data", data_, t.data_help() + ", separated by commas; it says how large examples are")
        ->delimiter(',')
        ->type_name("FOLDER");
    c.add_option("--tokens", tokens_, "Tokens of an example, where no data is given")->check(CLI::PositiveNumber);
    c.add_option("--identifiers", identifiers_, "Puzzle rows, where no data is given")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    c.add_option("--seed", seed_, "Seed of the weights")->capture_default_str();
    c.add_option("--output", output_, "File to write")->required()->type_name("FILE");
    c.footer("Presets:\n" + preset_list().descriptions() + "\n" + c.get_footer());
  }

 private:
  void run() {
    if (!data_.empty()) {
      const trm::dataset_metadata meta = task_.open(data_, "train", false, 0).metadata;
      tokens_ = meta.seq_len;
      identifiers_ = meta.num_puzzle_identifiers;
    }
    if (tokens_ == 0) throw trm::error("init", "give --data or --tokens: the model depends on the size of examples");
    preset_list().find(preset_, tokens_).make()->init(output_, identifiers_, seed_, preset_);
  }

  task& task_;
  std::string preset_ = "small";
  std::filesystem::path output_;
  paths data_;
  int tokens_ = 0;
  std::int64_t identifiers_ = 1;
  std::uint64_t seed_ = 0;
};

}  // namespace program
