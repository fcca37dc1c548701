// SPDX-License-Identifier: MIT
// A training run from its options to its folder, the same for every task.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "any_model.hpp"
#include "evaluation.hpp"
#include "machine.hpp"
#include "metrics.hpp"
#include "progress.hpp"
#include "report/training_report.hpp"
#include "run.hpp"
#include "run_folder.hpp"
#include "task.hpp"
#include "terminal.hpp"
#include "toml.hpp"
#include "trm/data/group_sampler.hpp"
#include "trm/io/model_config.hpp"

namespace program {

/// The options of `train` that do not depend on the task.
struct training_settings {
  trm::training_options training;
  std::filesystem::path run;
  std::string preset, optimizer = "adam_atan2";
  double epochs = 0;
  long long steps = 0;
  std::int64_t eval_every = 0, checkpoint_every = 0, log_every = 10, epochs_per_iteration = 0, eval_batches = 0;
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
  command.add_option("--run", s.run, "Folder to make for the run")->required()->type_name("FOLDER");
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

/// What a program trains on.
struct training_task {
  std::string program, title;
  example_data train;
  std::optional<example_data> test;  // evaluated and drawn; without it the training examples are
  scorer* score = nullptr;
  drawing draw;
  paths copies;  // files of the dataset that an evaluation of the checkpoint needs
};

namespace detail {

/// A report is looked at: more steps of an example are not drawn.
inline constexpr int most_shown_steps = 32;

/// The answers to `most` examples at every supervision step, drawn.
inline std::vector<report::shown_example> shown_examples(any_solver& solver, const example_data& data,
                                                         const drawing& draw, int max_steps, int most) {
  const any_source& source = data.sources.front();
  const auto n = static_cast<std::size_t>(data.metadata.seq_len);
  const auto count = static_cast<std::size_t>(
      std::min<std::int64_t>({most, source.rows(), static_cast<std::int64_t>(solver.batch_size())}));
  const auto batch = static_cast<std::size_t>(solver.batch_size());
  std::vector<int> inputs(batch * n, data.metadata.pad_id), labels(batch * n, trm::ignored_label);
  std::vector<int> identifiers(batch, data.metadata.blank_identifier_id);
  std::int64_t puzzle = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t row = source.rows() * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(count);
    while (row >= source.rows_of(puzzle).last) ++puzzle;
    source.read(row, inputs.data() + i * n, labels.data() + i * n);
    identifiers[i] = source.puzzle_identifier(puzzle);
  }
  solver.begin({inputs, labels, solver.identifiers() > 0 ? std::span<const int>(identifiers) : std::span<const int>()});
  std::vector<report::shown_example> all(count);
  for (int s = 0; s < max_steps; ++s) {
    solver.step();
    const trm::samples& now = solver.samples();
    for (std::size_t i = 0; i < count; ++i) {
      const drawing::tokens in(inputs.data() + i * n, n), label(labels.data() + i * n, n),
          answer(now.predictions.data() + i * n, n);
      if (s == 0) all[i] = {fmt::format("example {}", i + 1), draw.input(in), draw.truth(in, label), {}};
      const trm::token_result& t = now.token_results[i];
      all[i].steps.push_back({draw.answer(in, label, answer), probability(now.halting[i].q_halt),
                              t.supervised > 0 ? static_cast<double>(t.correct) / t.supervised : 0, t.exact()});
    }
  }
  return all;
}

/// As asked, or as many as fill 100 batches: a small set loses little to partial batches then.
inline std::int64_t epochs_per_iteration(std::int64_t asked, const trm::dataset_metadata& meta, int batch) {
  if (asked > 0) return asked;
  const double examples = std::max(1.0, static_cast<double>(meta.total_groups) * meta.mean_puzzle_examples);
  // The sampler numbers groups * passes below 2^32.
  const double most = 4294967295.0 / std::max(1.0, static_cast<double>(meta.total_groups));
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(std::ceil(100.0 * batch / examples), most)));
}

}  // namespace detail

/// Trains `p`'s model on the task. Leaves in the run folder config.toml, model.json, metrics.jsonl, checkpoints and report.html,
/// also where Ctrl-C ends the run before its time. `configuration`: the options as TOML. Returns the last checkpoint.
inline std::filesystem::path train(const preset& p, const training_task& task, training_settings s,
                                   const std::string& configuration) {
  const auto model = p.make();
  const trm::dataset_metadata& meta = task.train.metadata;
  detail::require_fit(task.train, model->description());
  if (task.test) detail::require_fit(*task.test, model->description());
  const long long total = s.steps > 0 ? s.steps : trm::training_steps(s.epochs, meta, s.training.batch);
  if (total < 1) throw trm::error("--steps", "nothing to do: give --steps, or more --epochs");
  const bool puzzles = model->description().puzzle_width > 0;
  s.training.schedule.total = total;
  s.training.puzzle_identifiers = static_cast<std::size_t>(meta.num_puzzle_identifiers);

  trm::group_sampler<any_source> sampler(
      task.train.sources, meta.seq_len,
      {.seed = s.training.seed,
       .batch = s.training.batch,
       .epochs_per_iteration = detail::epochs_per_iteration(s.epochs_per_iteration, meta, s.training.batch)});
  const auto trainer = model->trainer(s.training, s.optimizer, s.threads, p.name);
  const trm::memory_plan plan = model->plan(s.training.batch, s.training.micro_batch);

  run_folder run(s.run, configuration);
  run.write("model.json", trm::to_json(model->description()).dump(2) + "\n");
  for (const auto& file : task.copies) run.write(file.filename(), trm::read_file(file));

  // Without a test split the training examples are evaluated, and the metrics say so.
  const example_data& held_out = task.test ? *task.test : task.train;
  const std::string split = task.test ? "test" : "train";
  const std::int64_t eval_batches = s.eval_batches > 0 ? s.eval_batches : all_batches;
  if (!s.quiet) {
    say(fmt::format("{}: {} parameters, {}, {} puzzle rows, {} steps of {:.1f} GFLOP, {:.0f} MiB of memory\n", p.name,
                    report::count_text(model->parameters()), model->arithmetic(),
                    puzzles ? meta.num_puzzle_identifiers : 0, total, plan.flops / 1e9,
                    static_cast<double>(plan.total()) / 1048576));
  }

  trm::batch_memory memory(s.training.batch, meta.seq_len);
  const trm::batch_view view = memory.view();
  const trm::batch offered{view.inputs, view.labels,
                           puzzles ? std::span<const int>(view.puzzle_identifiers) : std::span<const int>()};
  progress shown("steps", total, s.quiet);
  trm::step_metrics window;
  long long in_window = 0, saved_at = -1, step = 0;
  double window_began = 0;

  std::string losses;  // of the last window

  const auto save = [&] {
    if (saved_at == step) return;
    trainer->save(run.checkpoint(step), {});
    run.keep();
    saved_at = step;
  };
  struct stopped {};
  const auto evaluate = [&] {
    trm::json result;
    try {
      result = measure(trainer->solver(), held_out, split, s.training.max_steps, eval_batches, model->trains_continue(),
                       task.score, [](std::int64_t, const trm::step_metrics&, std::int64_t) {
                         if (interrupted()) throw stopped();
                       });
    } catch (const stopped&) {
      return;  // what was measured of a part is no evaluation
    }
    result["step"] = step;
    run.metrics(result);
    shown.finish();
    if (s.quiet) return;
    for (const std::string& set : held_out.metadata.sets) {
      const trm::json& m = result.at(set);
      say(fmt::format("step {}: {} {}: {:.1f} % exact, {:.2f} % of the tokens, lm_loss {:.4f}\n", step, split, set,
                      100 * m.at("exact_accuracy").get<double>(), 100 * m.at("accuracy").get<double>(),
                      m.at("lm_loss").get<double>()));
    }
  };
  const auto write_report = [&] {
    report::training_report page;
    page.program = task.program;
    page.title = task.title;
    page.metrics = run.read_metrics();
    page.configuration = configuration;
    page.seconds = shown.elapsed();
    page.parameters = model->parameters();
    page.examples = detail::shown_examples(trainer->solver(), held_out, task.draw,
                                           std::min(s.training.max_steps, detail::most_shown_steps), 6);
    page.facts = {
        {"model",
         fmt::format("{}, {} parameters, {}", p.name, report::count_text(model->parameters()), model->arithmetic())},
        {"steps", fmt::format("{} of {}, {} samples each", step, total, s.training.batch)},
        {"wall time", duration_text(shown.elapsed())},
        {"processor time", duration_text(processor_seconds())},
        {"arithmetic", fmt::format("{:.2f} TFLOP, {:.0f} GFLOP/s", plan.flops * static_cast<double>(step) / 1e12,
                                   plan.flops * static_cast<double>(step) / std::max(shown.elapsed(), 1e-9) / 1e9)},
        {"memory", fmt::format("{:.0f} MiB planned, {:.0f} MiB at most", static_cast<double>(plan.total()) / 1048576,
                               peak_memory_mib())},
        {"processor", processor_name()},
        {"version", std::string("trm ") + trm::version_string}};
    run.write("report.html", report::to_html(page));
  };

  while (step < total && !interrupted()) {
    sampler.next(view);
    const trm::step_report report = trainer->step(offered);
    step = report.step;
    if (!std::isfinite(report.metrics.loss())) {
      throw trm::error(s.run.string(), fmt::format("the loss of step {} is not finite: try a smaller --lr", step));
    }
    window += report.metrics;
    ++in_window;
    if (step % s.log_every == 0 || step == total || interrupted()) {
      const double samples = static_cast<double>(in_window) * s.training.batch, now = shown.elapsed();
      const trm::json r = rates(window, samples, model->trains_continue());
      trm::json line = {{"step", step},
                        {"train/lr", report.learning_rate},
                        {"train/count", window.count},
                        {"steps_per_second", static_cast<double>(in_window) / std::max(now - window_began, 1e-9)}};
      if (s.training.clip_norm > 0) line["train/gradient_norm"] = report.gradient_norm;
      for (const auto& [key, value] : r.items()) line["train/" + key] = value;
      run.metrics(line);
      losses = fmt::format("loss {:.4f}", r.at("lm_loss").get<double>());
      if (window.count > 0) {
        losses += fmt::format("  exact {:.1f} %  halts after {:.1f} steps", 100 * r.at("exact_accuracy").get<double>(),
                              r.at("steps").get<double>());
      }
      window = {};
      in_window = 0;
      window_began = now;
    }
    shown.show(step, [&] { return losses; });
    if (step == total || (s.checkpoint_every > 0 && step % s.checkpoint_every == 0)) save();
    if (s.eval_every > 0 && (step % s.eval_every == 0 || step == total)) {
      evaluate();
      write_report();
    }
  }
  shown.finish();
  save();
  write_report();
  if (!s.quiet) {
    say(fmt::format("{} after {} steps, {}: {}\nreport: {}\n", interrupted() ? "stopped" : "done", step,
                    duration_text(shown.elapsed()), run.checkpoint(step).string(),
                    (run.path() / "report.html").string()));
  }
  return run.checkpoint(step);
}

}  // namespace program
