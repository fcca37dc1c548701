// SPDX-License-Identifier: MIT
// Evaluation of a checkpoint on a split, the same for every task.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "answering.hpp"
#include "any_model.hpp"
#include "device_option.hpp"
#include "metrics.hpp"
#include "orders.hpp"
#include "processes.hpp"
#include "progress.hpp"
#include "run.hpp"
#include "run_folder.hpp"

namespace program {

inline constexpr std::int64_t all_batches = std::numeric_limits<std::int64_t>::max();

/// Answers every example (at most `max_batches` batches) and returns the metrics of each set, with what `score` adds (may be null).
/// `each(done, exact rate so far)` after every batch.
template <class Each>
trm::json measure(any_solver& solver, const example_data& data, const std::string& split, const answering& how,
                  std::int64_t max_batches, bool trains_continue, scorer* score, Each each) {
  if (score != nullptr) score->begin();
  std::int64_t done = 0;
  trm::step_metrics so_far;
  const auto answered = [&](const trm::batch& b, const trm::sequential_part& part, const any_solver& s) {
    so_far += s.metrics(static_cast<int>(part.rows));
    done += part.rows;
    if (score != nullptr) score->add(b, part, s);
    each(done, so_far, part.rows);
  };
  std::vector<trm::step_metrics> metrics;
  trm::json more = trm::json::object();
  if (how.plain()) {
    metrics = solver.evaluate(data, how.exit.max_steps, max_batches, answered);
  } else {
    const std::int64_t most =
        max_batches > all_batches / solver.batch_size() ? all_batches : max_batches * solver.batch_size();
    trm::exit_report found = solver.evaluate(data, how.exit, how.attempts, most, answered);
    metrics = std::move(found.metrics);
    more = {{"confidence", how.exit.confidence},
            {"rollouts", how.attempts.count},
            {"steps_per_example", found.steps_per_sample()}};
    if (how.attempts.count > 1) more["noise"] = how.attempts.noise;
  }
  trm::json result = {{"split", split}, {"examples", done}, {"supervision_steps", how.exit.max_steps}};
  result.update(more);
  for (std::size_t set = 0; set < data.metadata.sets.size(); ++set) {
    trm::step_metrics sum;
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      if (data.set_of[i] == set) sum += metrics[i];
    }
    trm::json& here = result[data.metadata.sets[set]] = rates(sum, sum.count, trains_continue);
    here["count"] = sum.count;
  }
  if (score != nullptr) score->report(result);
  return result;
}
/// Outputs that an evaluation collects for outputs.safetensors, examples in the order of the dataset.
class saved_outputs {
 public:
  static constexpr const char* names =
      "inputs, labels, puzzle_identifiers, logits, preds, q_halt_logits, q_continue_logits";

  explicit saved_outputs(const std::vector<std::string>& wanted) : wanted_(wanted.begin(), wanted.end()) {}
  void add(const any_solver& s, std::int64_t rows) {
    if (wanted_.empty()) return;
    const trm::samples& state = s.samples();
    const auto n = static_cast<std::size_t>(rows);
    tokens_ = state.tokens;
    append(inputs_, state.inputs, n * static_cast<std::size_t>(tokens_));
    append(labels_, state.labels, n * static_cast<std::size_t>(tokens_));
    append(predictions_, state.predictions, n * static_cast<std::size_t>(tokens_));
    append(identifiers_, state.puzzle_identifiers, n);
    for (std::size_t i = 0; i < n; ++i) {
      halt_.push_back(state.halting[i].q_halt);
      continue_.push_back(state.halting[i].q_continue);
    }
    if (wanted_.count("logits") != 0) s.append_logits(static_cast<int>(rows), logits_);
    type_ = s.logits_type();
    rows_ += rows;
  }
  void write(const std::filesystem::path& path) const {
    if (wanted_.empty()) return;
    trm::safetensors_writer out;
    const auto put = [&]<class T>(const char* name, const std::vector<T>& values, std::vector<std::int64_t> shape) {
      if (wanted_.count(name) != 0) out.add(name, std::move(shape), std::span<const T>(values));
    };
    put("inputs", inputs_, {rows_, tokens_});
    put("labels", labels_, {rows_, tokens_});
    put("preds", predictions_, {rows_, tokens_});
    put("puzzle_identifiers", identifiers_, {rows_});
    put("q_halt_logits", halt_, {rows_});
    put("q_continue_logits", continue_, {rows_});
    if (wanted_.count("logits") != 0) {
      const auto cells = static_cast<std::size_t>(std::max<std::int64_t>(rows_ * tokens_, 1));
      const auto vocab = static_cast<std::int64_t>(logits_.size() / trm::size_of(type_) / cells);
      out.add("logits", type_, {rows_, tokens_, vocab}, std::span<const std::byte>(logits_));
    }
    out.save(path);
  }

 private:
  template <class T>
  static void append(std::vector<T>& to, const std::vector<T>& from, std::size_t count) {
    to.insert(to.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
  }

  std::set<std::string> wanted_;
  std::vector<int> inputs_, labels_, identifiers_, predictions_;
  std::vector<std::byte> logits_;
  std::vector<float> halt_, continue_;
  std::int64_t rows_ = 0;
  int tokens_ = 0;
  trm::element_type type_ = trm::element_type::f32;
};

/// The options of `evaluate` that do not depend on the task.
struct evaluation_options {
  std::filesystem::path checkpoint, output;
  std::string preset;  // empty: as the checkpoint says
  std::int64_t max_batches = 0;
  int batch = 32, threads = 0;
  answering how;
  std::vector<std::string> save;
  bool int8 = false, json = false, quiet = false;
};

inline void add_evaluation_options(CLI::App& command, evaluation_options& o) {
  command.add_option("--checkpoint", o.checkpoint, "Weights (safetensors, published names)")
      ->required()
      ->type_name("FILE");
  command.add_option("--output", o.output, "Folder for metrics.json and what is saved")->type_name("FOLDER");
  command.add_option("--preset", o.preset, "Model, where the checkpoint does not say it");
  command.add_option("--max-batches", o.max_batches, "Batches at most; 0: all")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--batch", o.batch, "Examples at a time")->capture_default_str()->check(CLI::PositiveNumber);
  add_answering_options(command, o.how, "An example is done, and the next takes its place,", ". A divisor of --batch");
  command
      .add_option("--save", o.save,
                  std::string("Outputs to write to outputs.safetensors, separated by commas: ") + saved_outputs::names)
      ->delimiter(',')
      ->check(CLI::IsMember(
          {"inputs", "labels", "puzzle_identifiers", "logits", "preds", "q_halt_logits", "q_continue_logits"}));
  add_device_option(command);
  command.add_option("--threads", o.threads, "Threads; 0: all processors. The result does not depend on it")
      ->capture_default_str()
      ->check(CLI::Range(0, most_threads));
  command.add_flag("--int8", o.int8, int8_option);
  command.add_flag("--json", o.json, "Print the metrics as JSON");
  command.add_flag("--quiet", o.quiet, "No progress");
}

namespace detail {

/// \throws trm::error where the examples have another size than the model, or words that it has not
inline void require_fit(const example_data& data, const trm::config& model) {
  if (data.metadata.seq_len == model.tokens && data.metadata.vocab_size <= model.vocab) return;
  throw trm::error(data.place, fmt::format("examples of {} tokens and {} words, the model is for {} and {}",
                                           data.metadata.seq_len, data.metadata.vocab_size, model.tokens, model.vocab));
}

/// A metric for people: 12.3 % for a rate.
inline std::string metric_text(const std::string& name, const trm::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number()) return value.is_null() ? "none" : value.dump();
  const double number = value.get<double>();
  if (name == "seconds") return number < 60 ? fmt::format("{:.1f} s", number) : duration_text(number);
  if (name == "noise") return fmt::format("{}", number);
  const bool loss = name.ends_with("loss"), steps = name == "steps";
  if (value.is_number_integer() || (number == std::floor(number) && (name == "count" || name.ends_with("puzzles"))))
    return fmt::format("{:.0f}", number);
  if (loss) return fmt::format("{:.4f}", number);
  if (steps || number < 0 || number > 1) return fmt::format("{:.2f}", number);
  return fmt::format("{:.2f} %", 100 * number);
}

}  // namespace detail

/// The result of an evaluation for people: what was evaluated, every set, what the task adds.
inline void print_metrics(const trm::json& m) {
  std::vector<std::pair<std::string, std::string>> lines;
  const auto add = [&](const std::string& prefix, const std::string& name, const trm::json& value) {
    lines.emplace_back(prefix + name, detail::metric_text(name, value));
  };
  for (const char* name :
       {"split", "examples", "supervision_steps", "steps_per_example", "confidence", "rollouts", "noise", "seconds"}) {
    if (m.contains(name)) add("", name, m.at(name));
  }
  for (const auto& [set, metrics] : m.items()) {
    if (!metrics.is_object()) continue;
    lines.emplace_back();
    for (const char* name : {"exact_accuracy", "accuracy", "q_halt_accuracy", "steps", "lm_loss", "q_halt_loss"}) {
      if (metrics.contains(name)) add(set + "/", name, metrics.at(name));
    }
    for (const auto& [name, value] : metrics.items()) {
      const std::string line = set + "/" + name;
      if (std::ranges::find(lines, line, [](const auto& l) { return l.first; }) == lines.end())
        add(set + "/", name, value);
    }
  }
  bool first = true;
  for (const auto& [name, value] : m.items()) {
    const bool said = std::ranges::find(lines, name, [](const auto& l) { return l.first; }) != lines.end();
    if (value.is_object() || said) continue;
    if (std::exchange(first, false)) lines.emplace_back();
    add("", name, value);
  }
  std::size_t width = 0;
  for (const auto& [name, value] : lines) width = std::max(width, name.size());
  for (const auto& [name, value] : lines)
    fmt::print("{}\n", name.empty() ? "" : fmt::format("{:<{}}  {:>10}", name, width, value));
}

/// The part of a process that is not the first.
inline trm::json evaluate_as_told(any_solver& solver, const example_data& data) {
  for (given_order o = next_order(); o.what != order::end; o = next_order()) {
    try {
      solver.evaluate(data, static_cast<int>(o.number), o.batches,
                      [](const trm::batch&, const trm::sequential_part&, const any_solver&) {});
    } catch (const evaluation_stopped&) {
    }
  }
  return {};
}

/// `evaluate`: measures, prints, and writes metrics.json and what is to be saved where there is an output folder.
inline trm::json evaluate(const any_model& model, const example_data& data, const std::string& split,
                          const evaluation_options& o, scorer* score) {
  if (!o.save.empty() && o.output.empty()) throw usage_error("--save", "needs --output, the folder for it");
  if (!o.save.empty() && !o.how.plain())
    throw usage_error("--save", "needs all steps of every example: no --confidence or --rollouts");
  detail::require_fit(data, model.description());
  if (o.batch % processes().size() != 0) {
    throw trm::agreed_error(
        "--batch", fmt::format("{} is no multiple of the number of processes, {}", o.batch, processes().size()));
  }
  std::unique_ptr<any_solver> solver;
  trm::together(processes(), [&] {
    solver = model.solver(o.checkpoint, o.batch / processes().size(), o.threads,
                          o.int8 ? products::int8 : products::as_trained);
  });
  if (model.description().puzzle_width > 0 &&
      solver->identifiers() != static_cast<std::size_t>(data.metadata.num_puzzle_identifiers)) {
    throw trm::error(o.checkpoint.string(),
                     fmt::format("has {} puzzle rows, the dataset {} identifiers: it was trained on "
                                 "another dataset",
                                 solver->identifiers(), data.metadata.num_puzzle_identifiers));
  }
  const std::int64_t max_batches = o.max_batches > 0 ? o.max_batches : all_batches;
  if (!first_process()) return evaluate_as_told(*solver, data);
  const leading others;
  if (!o.quiet) warn_of_threads(o.threads);
  std::optional<made_folder> folder;
  if (!o.output.empty()) folder.emplace(o.output);
  saved_outputs saved(o.save);
  std::int64_t rows = data.rows();
  if (o.max_batches > 0) rows = std::min<std::int64_t>(rows, o.max_batches * o.batch);
  progress shown("examples", rows, o.quiet);
  trm::json result =
      measure(*solver, data, split, o.how, max_batches, model.trains_continue(), score,
              [&](std::int64_t done, const trm::step_metrics& so_far, std::int64_t now) {
                stop_if_interrupted();
                saved.add(*solver, now);
                shown.show(done, [&] {
                  return fmt::format("exact {:.1f} %", 100 * so_far.exact_accuracy / std::max(so_far.count, 1.0));
                });
              });
  shown.finish();
  result["seconds"] = shown.elapsed();
  if (o.int8) result["products"] = "int8";
  if (!o.output.empty()) {
    saved.write(o.output / "outputs.safetensors");
    trm::write_file(o.output / "metrics.json", result.dump(2) + "\n");
    if (score != nullptr) score->write(o.output);
  }
  if (o.json) {
    fmt::print("{}\n", result.dump());
  } else {
    print_metrics(result);
  }
  return result;
}

}  // namespace program
