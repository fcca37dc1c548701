// SPDX-License-Identifier: MIT
// The options of training, the same for every task.
#pragma once
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "any_model.hpp"
#include "device_option.hpp"
#include "option_kind.hpp"
#include "processes.hpp"
#include "retention.hpp"
#include "toml.hpp"

namespace program {

/// The options of `train` that do not depend on the task.
struct training_settings {
  trm::training_options training;
  std::filesystem::path run;
  std::string preset, optimizer = "adam_atan2";
  double epochs = 0;
  long long steps = 0;
  std::int64_t eval_every = 0, checkpoint_every = 0, log_every = 10, epochs_per_iteration = 0, eval_batches = 0;
  retention_policy keep;
  std::int64_t stop_after = 0;
  std::filesystem::path init_from;
  long long start_step = 0;
  bool resume = false;
  std::set<std::string> said = {};  // names of the options that were given, wherever; the others have their defaults
  int threads = 0;
  bool quiet = false;
};

/// Whose defaults say "of the preset" take the preset's number: take_preset.
inline void add_training_options(CLI::App& command, training_settings& s, const preset_list& presets) {
  trm::training_options& o = s.training;
  const std::string preset_text = "of the preset";
  const auto number = [&](const char* name, auto& field, const char* about, const CLI::Validator& range) {
    command.add_option(name, field, about)->default_str(preset_text)->check(range);
  };
  const CLI::Range rate(0.0, 0.999999);
  command.add_option("--run", s.run, "Folder of the run; one that is there is gone on with")
      ->required()
      ->type_name("FOLDER");
  command.add_flag("--resume", s.resume, "Go on with the run: it must be there");
  command
      .add_option("--init-from", s.init_from,
                  "Begin with the weights of this checkpoint, in place of random ones; everything else begins anew")
      ->type_name("PATH");
  command
      .add_option("--start-step", s.start_step,
                  "With --init-from: count steps from here, for the schedule and the names of checkpoints")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--preset", s.preset, "Model: " + presets.names())->capture_default_str();
  number("--steps", s.steps, "Supervision steps (one update each)", CLI::NonNegativeNumber);
  command.add_option("--epochs", s.epochs, "Passes over the groups, in place of --steps")->check(CLI::PositiveNumber);
  command
      .add_option(
          "--epochs-per-iteration", s.epochs_per_iteration,
          "Passes whose group orders are joined before a partial batch is dropped; 0: as many as fill 100 batches")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  number("--batch", o.batch, "Samples of an update", CLI::PositiveNumber);
  number("--micro-batch", o.micro_batch, "Samples worked through at once, a divisor of --batch; 0: all",
         CLI::NonNegativeNumber);
  command
      .add_option("--gradient-parts", o.gradient_parts,
                  "The gradient is the sum of those of so many parts of the batch; with N processes it is N, and one "
                  "process with N goes on with such a run to the same bits")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  number("--max-steps", o.max_steps, "Supervision steps of a sample at most", CLI::PositiveNumber);
  number("--exploration", o.exploration, "Probability of a drawn minimum of steps", CLI::Range(0.0, 1.0));
  command.add_option("--optimizer", s.optimizer, "adam_atan2 or adamw")
      ->default_str(preset_text)
      ->check(CLI::IsMember({"adam_atan2", "adamw"}));
  number("--lr", o.optimizer.learning_rate, "Learning rate", CLI::NonNegativeNumber);
  number("--weight-decay", o.optimizer.weight_decay, "Decoupled weight decay", CLI::NonNegativeNumber);
  number("--beta1", o.optimizer.beta1, "First moment's rate", rate);
  number("--beta2", o.optimizer.beta2, "Second moment's rate", rate);
  number("--warmup", o.schedule.warmup, "Steps of linear warm-up", CLI::NonNegativeNumber);
  number("--min-ratio", o.schedule.min_ratio, "Learning rate at the end over that after warm-up (cosine); 1: constant",
         CLI::Range(0.0, 1.0));
  number("--clip-norm", o.clip_norm, "Largest norm of the gradient; 0: not clipped", CLI::NonNegativeNumber);
  number("--puzzle-lr", o.puzzle_learning_rate, "Learning rate of the puzzle rows", CLI::NonNegativeNumber);
  number("--puzzle-weight-decay", o.puzzle_weight_decay, "Their weight decay", CLI::NonNegativeNumber);
  number("--ema", o.ema_rate, "Rate of the running average that is evaluated and saved; 0: none", rate);
  command.add_option("--seed", o.seed, "Seed of weights, order and exploration")->capture_default_str();
  add_device_option(command);
  command.add_option("--threads", s.threads, "Threads; 0: all processors. The result does not depend on it")
      ->capture_default_str()
      ->check(CLI::Range(0, most_threads));
  command.add_option("--eval-every", s.eval_every, "Steps between evaluations of the test split; 0: none")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--eval-batches", s.eval_batches, "Batches of such an evaluation at most; 0: all")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--checkpoint-every", s.checkpoint_every, "Steps between checkpoints; 0: at the end only")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--keep", s.keep.newest, "Newest checkpoints to keep; 0: all")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--keep-every", s.keep.every, "Keep every checkpoint of a step that this divides; 0: none")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--keep-best", s.keep.metric,
                     "Make and keep a checkpoint of the best evaluation by this metric of metrics.jsonl, "
                     "test/all/exact_accuracy: losses the lower, all others the higher the better");
  command
      .add_option("--stop-after", s.stop_after,
                  "Stop after this many evaluations without a better value of --keep-best; 0: never")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--log-every", s.log_every, "Steps summed in a line of metrics.jsonl")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_flag("--quiet", s.quiet, "No progress");
}

/// Fills in from the preset what was said neither on the command line nor in the environment or a file.
/// \throws usage_error where options exclude each other
inline void take_preset(CLI::App& command, training_settings& s, const preset& p) {
  const auto take = [&](const char* name, auto& field, const auto& value) {
    CLI::Option* option = command.get_option(name);
    if (option->count() > 0) return;
    field = value;
    option->default_str(fmt::format("{}", value));
  };
  trm::training_options& o = s.training;
  const trm::training_options& from = p.training;
  take("--steps", s.steps, p.steps);
  take("--optimizer", s.optimizer, p.optimizer);
  take("--batch", o.batch, from.batch);
  take("--micro-batch", o.micro_batch, from.micro_batch);
  take("--gradient-parts", o.gradient_parts, processes().size());
  take("--max-steps", o.max_steps, from.max_steps);
  take("--exploration", o.exploration, from.exploration);
  take("--lr", o.optimizer.learning_rate, from.optimizer.learning_rate);
  take("--weight-decay", o.optimizer.weight_decay, from.optimizer.weight_decay);
  take("--beta1", o.optimizer.beta1, from.optimizer.beta1);
  take("--beta2", o.optimizer.beta2, from.optimizer.beta2);
  take("--warmup", o.schedule.warmup, from.schedule.warmup);
  take("--min-ratio", o.schedule.min_ratio, from.schedule.min_ratio);
  take("--clip-norm", o.clip_norm, from.clip_norm);
  take("--puzzle-lr", o.puzzle_learning_rate, from.puzzle_learning_rate);
  take("--puzzle-weight-decay", o.puzzle_weight_decay, from.puzzle_weight_decay);
  take("--ema", o.ema_rate, from.ema_rate);
  // Said explicitly, the other one does not come from the preset.
  if (s.epochs > 0 && s.steps > 0) {
    CLI::Option* steps = command.get_option("--steps");
    if (steps->count() > 0)
      throw usage_error("--epochs", "--steps says how long to train as well: give one of them, or --steps 0");
    s.steps = 0;
    steps->default_str("0");
  }
}

/// What may be another one when a run is gone on with: nothing of it changes the numbers of a step (the device: but for rounding).
inline constexpr const char* changeable_options[] = {
    "run",        "resume",       "data", "device",     "threads",   "quiet",      "checkpoint-every",
    "eval-every", "eval-batches", "keep", "keep-every", "keep-best", "stop-after", "log-every"};

}  // namespace program
