// SPDX-License-Identifier: MIT
// trm-arc: ARC datasets, training, evaluation and prediction.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "../program/progress.hpp"
#include "../program/run.hpp"
#include "arc_model.hpp"
#include "trm/data/arc/builder.hpp"
#include "trm/data/arc/render.hpp"
#include "trm/data/dataset.hpp"
#include "trm/io/safetensors.hpp"
#include "trm/version.hpp"

namespace {

using namespace trm_arc;

/// The compiled model of a preset for examples of `tokens` tokens.
std::unique_ptr<arc_model> choose(const std::string& preset, int tokens) {
  std::vector<std::unique_ptr<arc_model>> compiled;
  if (preset == "paper") compiled.push_back(make_paper());
  if (preset == "paper-bf16") compiled.push_back(make_paper_bf16());
  if (preset == "small" || preset == "small-10") {
    compiled.push_back(make_small());
    compiled.push_back(make_small_10());
  }
  if (compiled.empty()) throw trm::error("--preset", "there is no preset \"" + preset + "\": paper, paper-bf16, small");
  for (auto& m : compiled) {
    if (m->tokens() == tokens) return std::move(m);
  }
  throw trm::error("preset " + preset,
                   fmt::format("is compiled for canvases of {} cells, not of {}", compiled.front()->tokens(), tokens) +
                       (preset == "small" ? " (small: 900 and 100)" : ""));
}

/// The model that a checkpoint says it belongs to, or `preset` for `tokens` where it says nothing or a preset was asked for.
std::unique_ptr<arc_model> model_of(const std::filesystem::path& checkpoint, const std::string& preset) {
  const auto file = trm::safetensors_file::open(checkpoint);
  const auto& about = file.metadata();
  int tokens = 900;
  if (about.count("config") != 0) {
    const trm::json config = trm::parse_json(about.at("config"), checkpoint.string() + ": metadata config");
    tokens = static_cast<int>(trm::json_field(config, checkpoint.string()).at("tokens").integer(1, 1 << 20));
  }
  if (!preset.empty()) return choose(preset, tokens);
  if (about.count("preset") == 0)
    throw trm::error(checkpoint.string(), "does not say which model it belongs to: give --preset");
  return choose(about.at("preset"), tokens);
}

/// `SOURCE` of read_subset: a folder that holds NAME_SUBSET_challenges.json stands for SOURCE/NAME.
std::string source_prefix(const std::string& source, const std::vector<std::string>& subsets) {
  if (!std::filesystem::is_directory(source) || subsets.empty()) return source;
  const std::string ending = "_" + subsets.front() + "_challenges.json";
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(source)) {
    const std::string name = entry.path().filename().string();
    if (name.size() > ending.size() && name.ends_with(ending))
      found.push_back(name.substr(0, name.size() - ending.size()));
  }
  if (found.size() > 1)
    throw trm::error(source,
                     "holds several collections with a subset " + subsets.front() + ": give --source FOLDER/NAME");
  return found.empty() ? source : (std::filesystem::path(source) / found.front()).string();
}

void build_dataset(trm::arc::build_options o, int canvas, bool quiet) {
  o.source = source_prefix(o.source, o.subsets);
  o.canvas = canvas;
  if (canvas < trm::arc::max_side) o.filter.max_grid_side = std::min(o.filter.max_grid_side, canvas);
  std::unique_ptr<program::progress> shown;
  trm::arc::build_phase phase = trm::arc::build_phase::augment;
  o.progress = [&](const trm::arc::build_progress& p) {
    if (!shown || p.phase != phase) {
      shown.reset();
      shown = std::make_unique<program::progress>(
          p.phase == trm::arc::build_phase::augment ? "tasks augmented" : "examples written",
          static_cast<std::int64_t>(p.total), quiet);
      phase = p.phase;
    }
    shown->show(static_cast<std::int64_t>(p.done), [] { return std::string(); });
  };
  const trm::arc::build_report report = trm::arc::build(o);
  shown.reset();
  for (const auto& s : report.splits)
    fmt::print("{}: {} tasks, {} puzzles, {} examples\n", s.name, s.groups, s.puzzles, s.examples);
  fmt::print("{} identifiers\n", report.identifiers);
  if (report.without_solution > 0) fmt::print("{} test inputs have no known output\n", report.without_solution);
  if (!report.short_groups.empty()) {
    fmt::print("{} tasks have fewer distinct augmentations than wanted, the least {} of {}\n",
               report.short_groups.size(),
               std::ranges::min_element(report.short_groups, {}, [](const auto& g) { return g.second; })->second - 1,
               o.augmentations);
  }
}

void print_predictions(const std::vector<prediction>& all) {
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

trm::json to_json(const std::vector<prediction>& all) {
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

void print_metrics(const trm::json& m) {
  for (const auto& [key, value] : m.items()) {
    if (value.is_object()) {
      for (const auto& [inner, number] : value.items()) fmt::print("{:<28} {}\n", key + "/" + inner, number.dump());
    } else {
      fmt::print("{:<28} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Recursive reasoning models on ARC tasks: build a dataset, train, evaluate, predict.\n"
      "Options may also stand in a TOML file (--config), in a section named after the command: [train]."};
  app.name("trm-arc");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("trm-arc ") + trm::version_string);
  app.set_config("--config", "", "Read options from this TOML file; the command line wins");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.fallthrough();
  app.failure_message(CLI::FailureMessage::simple);

  trm::arc::build_options build;
  int canvas = trm::arc::max_side;
  bool quiet = false, json = false;
  std::string output, preset;  // preset: empty where the checkpoint says it
  std::size_t max_tasks = 0;
  CLI::App* build_command =
      app.add_subcommand("build-dataset", "Augment ARC tasks and write them in the published dataset format");
  build_command->footer(
      "Example: trm-arc build-dataset --source kaggle/combined --subsets training2,evaluation2,concept --test-set "
      "evaluation2 "
      "--output data/arc2");
  build_command
      ->add_option("--source", build.source,
                   "Folder of Kaggle's combined files, FOLDER/NAME before _SUBSET_challenges.json, or folder of "
                   "single-task files")
      ->required();
  build_command->add_option("--subsets", build.subsets, "Subsets to read, separated by commas")
      ->required()
      ->delimiter(',');
  build_command->add_option("--test-set", build.test_set, "Subset whose test pairs are held out");
  build_command->add_option("--test-set2", build.test_set2, "A second one");
  build_command->add_option("--augmentations", build.augmentations, "Augmented puzzles of each task")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  build_command->add_option("--seed", build.seed, "Seed of the random draws")->capture_default_str();
  build_command->add_option("--first-identifier", build.first_identifier, "Identifiers below it stay blank")
      ->capture_default_str();
  build_command
      ->add_option("--canvas", canvas, "Side of the square that holds a grid; below 30 only tasks that fit take part")
      ->capture_default_str()
      ->check(CLI::Range(1, 30));
  build_command->add_option("--max-side", build.filter.max_grid_side, "Only tasks whose grids have sides up to this")
      ->capture_default_str()
      ->check(CLI::Range(1, 30));
  build_command->add_option("--tasks", build.filter.ids, "Only these tasks, separated by commas")->delimiter(',');
  CLI::Option* limit = build_command->add_option("--max-tasks", max_tasks, "At most so many tasks of each subset")
                           ->check(CLI::PositiveNumber);
  build_command->add_option("--output", output, "Folder to make")->required();
  build_command->add_flag("--quiet", quiet, "No progress");

  train_options train;
  CLI::App* train_command = app.add_subcommand("train", "Train a model on a dataset");
  train_command->footer(
      "Example: trm-arc train --data data/arc2 --run runs/first --preset small --steps 20000 --lr 1e-3");
  train_command->add_option("--data", train.data, "Dataset folders, separated by commas")->required()->delimiter(',');
  train_command->add_option("--run", train.run, "Folder to make for the run")->required();
  train_command->add_option("--preset", preset, "Model: paper, paper-bf16 or small")->default_str("small");
  train_command->add_option("--steps", train.steps, "Supervision steps (one update each); instead of --epochs")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command->add_option("--epochs", train.epochs, "Passes over the task groups")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command
      ->add_option(
          "--epochs-per-iteration", train.epochs_per_iteration,
          "Passes whose group orders are joined before a partial batch is dropped; 0: as many as fill 100 batches")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command->add_option("--batch", train.batch, "Samples of an update")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  train_command
      ->add_option("--micro-batch", train.micro_batch, "Samples worked through at once, a divisor of --batch; 0: all")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command->add_option("--max-steps", train.max_steps, "Supervision steps of a sample at most")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  train_command->add_option("--exploration", train.exploration, "Probability of a drawn minimum of steps")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  train_command->add_option("--optimizer", train.optimizer, "adam_atan2 or adamw")
      ->capture_default_str()
      ->check(CLI::IsMember({"adam_atan2", "adamw"}));
  train_command->add_option("--lr", train.learning_rate, "Learning rate")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command->add_option("--weight-decay", train.weight_decay, "Decoupled weight decay")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command->add_option("--beta1", train.beta1, "First moment's rate")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 0.999999));
  train_command->add_option("--beta2", train.beta2, "Second moment's rate")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 0.999999));
  train_command->add_option("--warmup", train.warmup, "Steps of linear warm-up")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command
      ->add_option("--min-ratio", train.min_ratio,
                   "Learning rate at the end over that after warm-up (cosine); 1: constant")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  train_command->add_option("--clip-norm", train.clip_norm, "Largest norm of the gradient; 0: not clipped")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command->add_option("--puzzle-lr", train.puzzle_learning_rate, "Learning rate of the puzzle rows")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command->add_option("--puzzle-weight-decay", train.puzzle_weight_decay, "Their weight decay")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command->add_option("--ema", train.ema, "Rate of the running average that is evaluated and saved; 0: none")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 0.999999));
  train_command->add_option("--seed", train.seed, "Seed of weights, order and exploration")->capture_default_str();
  train_command->add_option("--threads", train.threads, "Threads; 0: all processors. The result does not depend on it")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command->add_option("--eval-every", train.eval_every, "Steps between evaluations of the test split; 0: none")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command
      ->add_option("--checkpoint-every", train.checkpoint_every, "Steps between checkpoints; 0: at the end only")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  train_command->add_option("--log-every", train.log_every, "Steps summed in a line of metrics.jsonl")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  train_command->add_flag("--quiet", train.quiet, "No progress");

  evaluate_options evaluation;
  CLI::App* evaluate_command =
      app.add_subcommand("evaluate", "Evaluate a checkpoint: accuracies, pass@k, a submission");
  evaluate_command->footer(
      "Example: trm-arc evaluate --data data/arc2 --checkpoint runs/first/checkpoints/step_20000.safetensors --output "
      "evaluation");
  evaluate_command->add_option("--data", evaluation.data, "Dataset folders, separated by commas")
      ->required()
      ->delimiter(',');
  evaluate_command->add_option("--checkpoint", evaluation.checkpoint, "Weights (safetensors, published names)")
      ->required();
  evaluate_command
      ->add_option("--output", evaluation.output, "Folder for metrics.json, submission.json and what is saved")
      ->required();
  evaluate_command->add_option("--preset", preset, "Model, where the checkpoint does not say it");
  evaluate_command->add_option("--split", evaluation.split, "train or test")->capture_default_str();
  evaluate_command->add_option("--max-batches", evaluation.max_batches, "Batches at most; 0: all")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  evaluate_command->add_option("--batch", evaluation.batch, "Samples at a time")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  evaluate_command->add_option("--max-steps", evaluation.max_steps, "Supervision steps of every sample")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  evaluate_command
      ->add_option("--save", evaluation.save,
                   "Outputs to write to outputs.safetensors, separated by commas: inputs, labels, puzzle_identifiers, "
                   "logits, preds, q_halt_logits, q_continue_logits")
      ->delimiter(',');
  evaluate_command->add_option("--threads", evaluation.threads, "Threads; 0: all processors")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  evaluate_command->add_flag(
      "--published-submission", evaluation.published_submission,
      "Leave test inputs without a prediction out of the submission, as the published code does");
  evaluate_command->add_flag("--json", json, "Print the metrics as JSON");
  evaluate_command->add_flag("--quiet", evaluation.quiet, "No progress");

  predict_options predict;
  std::string task_file, only;
  CLI::App* predict_command = app.add_subcommand("predict", "Answer the test inputs of tasks");
  predict_command->footer(
      "Example: trm-arc predict --checkpoint runs/first/checkpoints/step_20000.safetensors 00d62c1b.json");
  predict_command->add_option("--checkpoint", predict.checkpoint, "Weights (safetensors, published names)")->required();
  predict_command->add_option("task", task_file, "Task file: one task, or Kaggle's combined layout")->required();
  predict_command->add_option("--task", only, "Only this task of the file");
  predict_command->add_option("--identifiers", predict.identifiers,
                              "identifiers.json of the dataset; default: the one in the checkpoint's run folder. "
                              "Unknown tasks get a fresh puzzle row");
  predict_command->add_option("--preset", preset, "Model, where the checkpoint does not say it");
  predict_command->add_option("--max-steps", predict.max_steps, "Supervision steps")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  predict_command->add_option("--threads", predict.threads, "Threads; 0: all processors")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  predict_command->add_flag("--json", json, "Print the answers as JSON");

  std::int64_t identifiers = 0;
  std::uint64_t seed = 0;
  std::vector<std::filesystem::path> init_data;
  std::string init_output;
  CLI::App* init_command = app.add_subcommand("init", "Write an untrained checkpoint");
  init_command->footer("Example: trm-arc init --preset paper --data data/arc2 --output initial.safetensors");
  init_command->add_option("--preset", preset, "Model: paper, paper-bf16 or small")->default_str("small");
  init_command->add_option("--data", init_data, "Dataset folders that say the canvas and the number of identifiers")
      ->delimiter(',');
  init_command->add_option("--identifiers", identifiers, "Puzzle rows, where no dataset is given")
      ->check(CLI::PositiveNumber);
  init_command->add_option("--canvas", canvas, "Side of the canvas, where no dataset is given")
      ->check(CLI::Range(1, 30));
  init_command->add_option("--seed", seed, "Seed of the weights")->capture_default_str();
  init_command->add_option("--output", init_output, "File to write")->required();

  return program::run("trm-arc", app, argc, argv, [&] {
    if (preset.empty() && (train_command->parsed() || init_command->parsed())) preset = "small";
    if (build_command->parsed()) {
      build.output = output;
      if (limit->count() > 0) build.filter.max_tasks = max_tasks;
      build_dataset(build, canvas, quiet);
    } else if (train_command->parsed()) {
      const auto metadata = trm::read_dataset_metadata(train.data.front() / "train" / "dataset.json");
      train.configuration = "[train]\n" + train_command->config_to_str(true, false);
      choose(preset, metadata.seq_len)->train(train);
    } else if (evaluate_command->parsed()) {
      const trm::json metrics = model_of(evaluation.checkpoint, preset)->evaluate(evaluation);
      if (json) {
        fmt::print("{}\n", metrics.dump());
      } else {
        print_metrics(metrics);
      }
    } else if (predict_command->parsed()) {
      predict.tasks = trm::arc::read_tasks(task_file);
      if (!only.empty()) {
        std::erase_if(predict.tasks, [&](const trm::arc::task& t) { return t.id != only; });
        if (predict.tasks.empty()) throw trm::error(task_file, "has no task " + only);
      }
      const auto beside = predict.checkpoint.parent_path().parent_path() / "identifiers.json";
      if (predict.identifiers.empty() && std::filesystem::exists(beside)) predict.identifiers = beside;
      const auto all = model_of(predict.checkpoint, preset)->predict(predict);
      if (json) {
        fmt::print("{}\n", to_json(all).dump());
      } else {
        print_predictions(all);
      }
    } else {
      int tokens = canvas * canvas;
      if (!init_data.empty()) {
        const auto metadata = trm::dataset::open(init_data, "train").metadata();
        tokens = metadata.seq_len;
        identifiers = metadata.num_puzzle_identifiers;
      }
      if (identifiers == 0)
        throw trm::error("init", "give --data or --identifiers: the puzzle table needs its number of rows");
      choose(preset, tokens)->init(init_output, identifiers, seed);
    }
  });
}
