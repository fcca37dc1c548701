// SPDX-License-Identifier: MIT
// A training run from its options to its folder, the same for every task: begun, gone on with, stopped.
#pragma once
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "any_model.hpp"
#include "asked_steps.hpp"
#include "checkpoints.hpp"
#include "device.hpp"
#include "device_option.hpp"
#include "evaluation.hpp"
#include "machine.hpp"
#include "metrics.hpp"
#include "processes.hpp"
#include "progress.hpp"
#include "provenance.hpp"
#include "report/training_report.hpp"
#include "run.hpp"
#include "run_folder.hpp"
#include "shown_examples.hpp"
#include "task.hpp"
#include "telemetry.hpp"
#include "terminal.hpp"
#include "toml.hpp"
#include "toml_json.hpp"
#include "training_options.hpp"
#include "training_task.hpp"
#include "trm/data/group_sampler.hpp"
#include "trm/io/model_config.hpp"

namespace program {

/// A run: its model, its data in order, its folder. Of several processes the first has it, and leads the others.
class training_run {
 public:
  /// Begins, or goes on with, the run in the folder s.run. `configuration`: the options as TOML.
  /// \throws trm::error where the folder holds another run, or nothing of it can be trusted
  training_run(const preset& p, const training_task& task, training_settings s, std::string configuration)
      : preset_(p),
        task_(task),
        model_(p.make()),
        s_(complete_settings(std::move(s), task, *model_)),
        configuration_(std::move(configuration)),
        sampler_(task.train.sources, task.train.metadata.seq_len, order_of(s_, task)),
        plan_(model_->plan(s_.training.batch, s_.training.micro_batch)),
        folder_(s_.run),
        checkpoints_(folder_.checkpoints()),
        telemetry_(folder_.path()),
        trainer_(model_->trainer(s_.training, s_.optimizer, s_.threads, p.name)),
        memory_(trainer_->local_batch(), task.train.metadata.seq_len),
        steps_(*trainer_, sampler_, memory_, model_->description().puzzle_width > 0),
        best_(s_.keep.metric, s_.stop_after) {
    if (folder_.continued()) {
      go_on();
    } else {
      begin();
    }
  }

  /// Steps until the end, an interruption or an early stop. Returns the last checkpoint.
  std::filesystem::path run() {
    progress shown("steps", total(), s_.quiet, step_);
    shown_ = &shown;
    introduce();
    if (evaluation_due_) evaluate();
    while (step_ + steps_.waiting() < total() && !interrupted() && !best_.stop()) {
      take_report([&] { return steps_.ask(); });
      const long long asked = step_ + steps_.waiting();
      // What reads the trainer needs its steps done.
      if (evaluates_after(asked) || saves_after(asked)) finish_steps();
      shown.show(step_, [&] { return losses_; });
      if (steps_.waiting() > 0) continue;
      if (evaluates_after(step_)) evaluate();
      if (saves_after(step_)) save();
    }
    finish_steps();
    shown.finish();
    save();
    write_report();
    conclude();
    return checkpoints_.at(step_);
  }

 private:
  long long total() const { return s_.training.schedule.total; }
  const example_data& held_out() const { return task_.test ? *task_.test : task_.train; }
  /// Without a test split the training examples are evaluated, and the metrics say so.
  std::string split() const { return task_.test ? "test" : "train"; }

  void begin() {
    for (const auto& file : task_.copies) folder_.write(file.filename(), trm::read_file(file));
    folder_.write("model.json", trm::to_json(model_->description()).dump(2) + "\n");
    if (!s_.init_from.empty()) trainer_->begin_from(s_.init_from, s_.start_step);
    step_ = s_.start_step;
    trm::json options = options_json(configuration_, "train");
    telemetry_.describe(configuration_, options);
    provenance_.emplace(provenance_file(), task_.program, std::move(options), trm::to_json(model_->description()),
                        task_.splits);
    start();
    folder_.made(provenance_file());
    folder_.write(run_folder::configuration_file, configuration_);
  }
  void go_on() {
    folder_.keep();
    require_same_options();
    provenance_.emplace(provenance_file());
    const auto from = checkpoints_.newest();
    if (!from) {
      if (!s_.init_from.empty()) trainer_->begin_from(s_.init_from, s_.start_step);
      step_ = s_.start_step;
      telemetry_.resume_at(step_);
      return start();
    }
    restore(*from);
    checkpoints_.put_aside();
    telemetry_.resume_at(step_, !evaluation_due_);
    count_evaluations();
    checkpoints_.prune(s_.keep, values_);  // what a process that was killed did not come to remove
    start();
    name_digest();
  }
  /// In the provenance: a process may have been killed after the checkpoint was there.
  void name_digest() {
    provenance_->checkpoint(step_, trm::sha256_of_file(checkpoints_.at(step_) / trm::checkpoint_file::manifest));
  }
  std::filesystem::path provenance_file() const { return folder_.path() / "provenance.json"; }
  /// SHA-256 of the training data.
  std::string fingerprint() const { return task_.splits.front().fingerprint(); }
  void start() { provenance_->start(start_facts(step_, thread_count(s_.threads))); }
  /// \throws trm::error that names an option that the run was begun with another value of
  void require_same_options() const {
    const std::filesystem::path file = folder_.path() / run_folder::configuration_file;
    const auto stored = option_values(trm::read_file(file), "train", file),
               now = option_values(configuration_, "train", "options");
    for (const auto& [name, value] : now) {
      if (std::ranges::find(changeable_options, name) != std::end(changeable_options)) continue;
      // A longer run has the same steps before unless the learning rate depends on its end.
      if (name == "steps" && s_.training.schedule.min_ratio == 1) continue;
      const auto before = stored.find(name);
      if (before != stored.end() && before->second == value) continue;
      // An option that the version which began the run did not have.
      if (before == stored.end() && s_.said.count(name) == 0) continue;
      throw trm::error(
          file.string(),
          fmt::format("the run has {} {}, not {}: give the same options (or --resume alone), or another --run", name,
                      before == stored.end() ? "not set" : before->second, value));
    }
  }
  void restore(const trm::checkpoint_folder& from) {
    const trm::json_field state = from.field("run");
    if (const std::string& data = state.at("dataset").string(); data != fingerprint()) {
      throw trm::error(
          task_.train.place,
          fmt::format("is not the data of the run {}: its fingerprint is {}, the run's {}", folder_.path().string(),
                      fingerprint().substr(0, 12), trm::detail::printable(data.substr(0, 12), 12)));
    }
    trainer_->resume(from);
    if (task_.score != nullptr) task_.score->restore(from.path());
    sampler_.restore(sampler_state_of(from));
    const trm::json_field window = state.at("window");
    const auto read = [&](const char* name, double& to) { to = window.at(name).number(); };
    window_fields(window_, read);
    in_window_ = window.at("steps").integer(0);
    seconds_before_ = state.at("seconds").number(0);
    evaluation_due_ = state.at("evaluation_due").boolean();
    step_ = saved_at_ = from.step();
    if (const auto found = from.manifest().find("metrics"); found != from.manifest().end()) evaluated_ = *found;
    if (step_ > total()) {
      throw trm::error("--steps", fmt::format("the run {} has done {} steps already", folder_.path().string(), step_));
    }
  }
  /// How the chosen metric went so far, from what was written.
  void count_evaluations() {
    if (s_.keep.metric.empty()) return;
    for (const trm::json& line : telemetry_.read()) {
      if (line.contains("split")) judge(line.at("step").get<long long>(), line);
    }
  }
  /// Takes note of the chosen metric of an evaluation. Is it the best so far?
  bool judge(long long step, const trm::json& evaluation) {
    const auto numbers = flat_metrics(evaluation);
    values_[step] = metric_value(numbers, s_.keep.metric);
    return best_.add(numbers);
  }

  void introduce() const {
    if (s_.quiet) return;
    warn_of_threads(s_.threads);
    const std::string gpu = gpu_name(processes().size());
    say(fmt::format("{}: {} parameters, {}{}, {} puzzle rows, {} steps of {:.1f} GFLOP, {:.0f} MiB of memory\n",
                    preset_.name, report::count_text(model_->parameters()), model_->arithmetic(),
                    gpu.empty() ? "" : " on " + gpu,
                    model_->description().puzzle_width > 0 ? task_.train.metadata.num_puzzle_identifiers : 0, total(),
                    plan_.flops / 1e9, static_cast<double>(plan_.total()) / 1048576));
    if (!folder_.continued()) return;
    say(step_ >= total() ? fmt::format("{} is done: {} steps\n", folder_.path().string(), step_)
                         : fmt::format("going on with {} after step {}\n", folder_.path().string(), step_));
  }

  bool evaluates_after(long long step) const {
    return s_.eval_every > 0 && (step % s_.eval_every == 0 || step == total());
  }
  bool saves_after(long long step) const {
    return step == total() || (s_.checkpoint_every > 0 && step % s_.checkpoint_every == 0);
  }
  void finish_steps() {
    if (steps_.waiting() > 0) take_report([&] { return steps_.finish(); });
  }
  /// Of the step that `report` waits for, if any: steps_.ask() or finish().
  template <class F>
  void take_report(F report) {
    rate_.begin();
    std::optional<trm::step_report> done;
    try {
      done = report();
    } catch (const trm::not_finite_error& e) {
      rate_.rest();
      if (e.state_finite && step_ > s_.start_step) save();
      std::string remedy = "try a smaller --lr";
      if (const auto good = checkpoints_.steps(); !good.empty()) {
        remedy = fmt::format("{} is from before; with --init-from and a smaller --lr another run can begin there",
                             checkpoints_.at(good.back()).string());
      }
      shown_->finish();
      throw trm::error(fmt::format("{}: {}: {}", folder_.path().string(), e.what(), remedy));
    }
    if (steps_.waiting() == 0) rate_.rest();
    if (!done) return;
    rate_.add(s_.training.batch);
    step_ = done->step;
    evaluated_ = trm::json::object();
    window_ += done->metrics;
    ++in_window_;
    if (step_ % s_.log_every == 0 || step_ == total()) log(*done);
  }
  /// A line of the steps since the last.
  void log(const trm::step_report& report) {
    const trm::json r = rates(window_, static_cast<double>(in_window_) * s_.training.batch, model_->trains_continue());
    trm::json line = {{"step", step_},
                      {"train/lr", report.learning_rate},
                      {"train/count", window_.count},
                      {"train/gradient_norm", report.gradient_norm}};
    for (const auto& [key, value] : r.items()) line["train/" + key] = value;
    rate_.take(line);
    write(line);
    losses_ = fmt::format("{:.0f} samples/s  loss {:.4f}", line.at("samples_per_second").get<double>(),
                          r.at("lm_loss").get<double>());
    if (window_.count > 0) {
      losses_ += fmt::format("  exact {:.1f} %  halts after {:.1f} steps", 100 * r.at("exact_accuracy").get<double>(),
                             r.at("steps").get<double>());
    }
    window_ = {};
    in_window_ = 0;
  }
  void write(const trm::json& line) {
    checkpoints_.require_folder();
    telemetry_.write(step_, line);
    folder_.keep();
  }

  struct stopped {};
  void evaluate() {
    trm::json result;
    evaluation_due_ = true;
    try {
      result = measure(trainer_->solver(), held_out(), split(),
                       {.exit = {.max_steps = s_.training.max_steps, .confidence = 1}},
                       s_.eval_batches > 0 ? s_.eval_batches : all_batches, model_->trains_continue(), task_.score,
                       [](std::int64_t, const trm::step_metrics&, std::int64_t) {
                         if (interrupted()) throw stopped();
                       });
    } catch (const stopped&) {
      if (task_.score != nullptr) task_.score->cancel();
      return;  // what was measured of a part is no evaluation: it is made when the run goes on
    }
    evaluation_due_ = false;
    write(result);
    evaluated_ = trm::json::object();
    for (const auto& [name, value] : flat_metrics(result)) evaluated_[name] = value;
    if (!s_.keep.metric.empty() && judge(step_, result)) save();
    shown_->finish();
    if (!s_.quiet) {
      for (const std::string& set : held_out().metadata.sets) {
        const trm::json& m = result.at(set);
        say(fmt::format("step {}: {} {}: {:.1f} % exact, {:.2f} % of the tokens, lm_loss {:.4f}\n", step_, split(), set,
                        100 * m.at("exact_accuracy").get<double>(), 100 * m.at("accuracy").get<double>(),
                        m.at("lm_loss").get<double>()));
      }
    }
    write_report();
  }
  template <class Metrics, class F>
  static void window_fields(Metrics& m, F f) {
    f("count", m.count), f("accuracy", m.accuracy), f("exact_accuracy", m.exact_accuracy);
    f("q_halt_accuracy", m.q_halt_accuracy), f("steps_of_samples", m.steps);
    f("lm_loss", m.lm_loss), f("q_halt_loss", m.q_halt_loss), f("q_continue_loss", m.q_continue_loss);
  }
  void save() {
    if (saved_at_ == step_) return;
    trm::json window = {{"steps", in_window_}};
    window_fields(window_, [&](const char* name, double v) { window[name] = v; });
    const trm::sampler_state at = sampler_.state();
    trm::json more = {{"run",
                       {{"dataset", fingerprint()},
                        {"sampler", {{"iteration", at.iteration}, {"position", at.position}}},
                        {"window", window},
                        {"evaluation_due", evaluation_due_},
                        {"seconds", seconds()}}}};
    if (!evaluated_.empty()) more["metrics"] = evaluated_;
    checkpoints_.require_folder();
    telemetry_.sync();
    trainer_->save(checkpoints_.at(step_), more, [this](const std::filesystem::path& folder) {
      return task_.score == nullptr ? std::vector<std::string>() : task_.score->save(folder);
    });
    name_digest();
    folder_.keep();
    saved_at_ = step_;
    evaluated_ = trm::json::object();
    checkpoints_.prune(s_.keep, values_);
  }
  double seconds() const { return seconds_before_ + (shown_ == nullptr ? 0 : shown_->elapsed()); }

  void write_report() {
    report::training_report page;
    page.program = task_.program;
    page.title = task_.title;
    page.metrics = telemetry_.read();
    page.configuration = configuration_;
    page.seconds = seconds();
    page.parameters = model_->parameters();
    page.examples = shown_examples(trainer_->solver(), held_out(), task_.draw,
                                   std::min(s_.training.max_steps, most_shown_steps), 6);
    const double steps = static_cast<double>(step_ - s_.start_step);
    page.facts = {{"model", fmt::format("{}, {} parameters, {}", preset_.name, report::count_text(model_->parameters()),
                                        model_->arithmetic())},
                  {"steps", fmt::format("{} of {}, {} samples each", step_, total(), s_.training.batch)},
                  {"wall time", duration_text(seconds())},
                  {"processor time", duration_text(processor_seconds())},
                  {"arithmetic", fmt::format("{:.2f} TFLOP, {:.0f} GFLOP/s", plan_.flops * steps / 1e12,
                                             plan_.flops * steps / std::max(seconds(), 1e-9) / 1e9)},
                  {"memory", fmt::format("{:.0f} MiB planned, {:.0f} MiB at most",
                                         static_cast<double>(plan_.total()) / 1048576, peak_memory_mib())},
                  {"processor", processor_name()},
                  {"version", std::string("trm ") + trm::version_string}};
    if (const std::string gpu = gpu_name(processes().size()); !gpu.empty())
      page.facts.insert(page.facts.end() - 1, {"GPU", gpu});
    folder_.write("report.html", report::to_html(page));
  }
  void conclude() const {
    if (s_.quiet && !interrupted()) return;
    const bool unfinished = step_ < total() || evaluation_due_;
    std::string how = "done";
    if (unfinished) how = interrupted() ? "stopped" : "stopped early";
    if (!s_.quiet) {
      say(fmt::format("{} after {} steps, {}: {}\nreport: {}\n", how, step_, duration_text(seconds()),
                      checkpoints_.at(step_).string(), (folder_.path() / "report.html").string()));
    }
    if (interrupted() && unfinished) {
      say(fmt::format("to go on: {} train --run {} --resume\n", task_.program, folder_.path().string()));
    }
  }

  const preset& preset_;
  const training_task& task_;
  std::unique_ptr<any_model> model_;
  training_settings s_;
  std::string configuration_;
  trm::group_sampler<any_source> sampler_;
  trm::memory_plan plan_;
  run_folder folder_;
  checkpoint_store checkpoints_;
  telemetry telemetry_;
  std::optional<provenance> provenance_;
  std::unique_ptr<any_trainer> trainer_;
  trm::batch_memory memory_;
  asked_steps steps_;
  progress* shown_ = nullptr;  // while run() is

  // Where the run is; with what trainer and sampler hold, the whole of it.
  long long step_ = 0, in_window_ = 0;
  trm::step_metrics window_;                   // of the steps since the last line
  bool evaluation_due_ = false;                // of this step, but it was interrupted
  trm::json evaluated_ = trm::json::object();  // the metrics of this step's evaluation
  double seconds_before_ = 0;
  // Follows from that and the metrics.
  long long saved_at_ = -1;
  improvement best_;
  std::map<long long, double> values_;  // of the chosen metric, by step
  step_rate rate_;
  std::string losses_;
};

}  // namespace program
