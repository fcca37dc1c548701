// SPDX-License-Identifier: MIT
// arc_model for one compiled configuration.
#pragma once
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include <fmt/core.h>

#include "../program/progress.hpp"
#include "../program/run_folder.hpp"
#include "arc_model.hpp"
#include "trm/backend/cpu/context.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/evaluator.hpp"
#include "trm/data/dataset.hpp"
#include "trm/data/group_sampler.hpp"
#include "trm/io/model_config.hpp"
#include "trm/io/weights.hpp"
#include "trm/train/evaluate.hpp"
#include "trm/train/trainer.hpp"
#include "trm/version.hpp"

namespace trm_arc {

inline constexpr const char* checkpoint_format = "trm.weights.1";

/// Metrics of a set as rates, under their published names.
inline trm::json rates(const trm::step_metrics& m, double samples, bool trains_continue) {
  const double halted = std::max(m.count, 1.0), all = std::max(samples, 1.0);
  trm::json j = {{"accuracy", m.accuracy / halted},
                 {"exact_accuracy", m.exact_accuracy / halted},
                 {"q_halt_accuracy", m.q_halt_accuracy / halted},
                 {"steps", m.steps / halted},
                 {"lm_loss", m.lm_loss / all},
                 {"q_halt_loss", m.q_halt_loss / all}};
  if (trains_continue) j["q_continue_loss"] = m.q_continue_loss / all;
  return j;
}

/// What a checkpoint holds, opened and checked against Model.
template <class Model>
struct checkpoint {
  trm::weights<Model> weights;
  trm::puzzle_table<typename Model::master> table;

  static checkpoint read(const std::filesystem::path& path, int batch) {
    const auto file = trm::safetensors_file::open(path);
    const auto config = file.metadata().find("config");
    if (config != file.metadata().end()) {
      trm::check_same_config(trm::parse_json(config->second, path.string() + ": metadata config"), Model::description,
                             path.string());
    }
    checkpoint c;
    trm::read_weights(file, c.weights);
    if (Model::W > 0) c.table = trm::read_puzzle_table<Model>(file, batch);
    return c;
  }
};

template <trm::config C, class Compute>
class compiled_model : public arc_model {
 public:
  using model = trm::model<C, Compute>;
  using master = typename model::master;
  using device = trm::cpu::context<>;

  explicit compiled_model(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  int tokens() const override { return model::S; }
  trm::json description() const override { return trm::to_json(C); }

  void init(const std::filesystem::path& output, std::int64_t identifiers, std::uint64_t seed) const override {
    trm::weights<model> w;
    w.initialise(seed);
    write(output, w, w.parameters(), trm::puzzle_table<master>(static_cast<std::size_t>(identifiers), model::W, 1), 0,
          "initial");
  }

  void train(const train_options& o) const override {
    if (o.optimizer == "adamw") return train_with<trm::adamw>(o);
    train_with<trm::adam_atan2>(o);
  }

  trm::json evaluate(const evaluate_options& o) const override {
    const auto data = trm::dataset::open(o.data, o.split);
    auto c = checkpoint<model>::read(o.checkpoint, o.batch);
    check_identifiers(c.table.rows(), data.metadata().num_puzzle_identifiers, o.checkpoint.string());
    program::make_folder(o.output);
    device cpu(threads(o.threads));
    trm::solver<model> solver(cpu, o.batch);
    solver.use(c.weights);
    saved_outputs saved(o.save);
    std::int64_t rows = 0;
    for (const auto& source : data.sources()) rows += source.rows();
    const std::int64_t limit = o.max_batches > 0 ? o.max_batches : std::numeric_limits<std::int64_t>::max();
    if (o.max_batches > 0) rows = std::min<std::int64_t>(rows, o.max_batches * o.batch);
    program::progress shown("examples", rows, o.quiet);
    trm::json result =
        measure(solver, c.table, data, o.data, o.split, o.max_steps, limit, o.output, o.published_submission,
                [&](const trm::sequential_part& part, std::int64_t done, const trm::step_metrics& so_far) {
                  saved.add(solver, part.rows);
                  shown.show(done, [&] {
                    return fmt::format("exact {:.1f} %", 100 * so_far.exact_accuracy / std::max(so_far.count, 1.0));
                  });
                });
    shown.finish();
    saved.write(o.output / "outputs.safetensors");
    trm::write_file(o.output / "metrics.json", result.dump(2) + "\n");
    return result;
  }

  std::vector<prediction> predict(const predict_options& o) const override {
    auto c = checkpoint<model>::read(o.checkpoint, 1);
    std::map<std::string, int> known;
    if (!o.identifiers.empty()) {
      const trm::json names = trm::read_json(o.identifiers);
      if (!names.is_array() || names.size() != c.table.rows()) {
        throw trm::error(o.identifiers.string(),
                         fmt::format("expected the {} puzzle names of the checkpoint's dataset", c.table.rows()));
      }
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i].is_string()) known.emplace(names[i].get<std::string>(), static_cast<int>(i));
      }
    }
    const int fresh = static_cast<int>(c.table.rows());
    auto table = with_fresh_row(c.table);
    device cpu(threads(o.threads));
    trm::solver<model> solver(cpu, 1);
    solver.use(c.weights);
    const int side = trm::arc::canvas_side(static_cast<std::size_t>(model::S));
    std::vector<prediction> all;
    for (const trm::arc::task& task : o.tasks) {
      const auto at = known.find(task.id);
      for (std::size_t t = 0; t < task.test.size(); ++t) {
        const trm::arc::grid& input = task.test[t].input;
        if (input.rows() > side || input.columns() > side) {
          throw trm::error("task " + task.id, fmt::format("test input {} is {} x {}, the model's canvas {} x {}", t,
                                                          input.rows(), input.columns(), side, side));
        }
        std::vector<int> tokens(static_cast<std::size_t>(model::S));
        trm::arc::encode<int>(input, side, 0, 0, tokens);
        const std::vector<int> identifier{at == known.end() ? fresh : at->second};
        solver.begin({tokens, {}, identifier}, &table);
        for (int s = 0; s < o.max_steps; ++s) solver.step();
        const auto& state = solver.samples();
        all.push_back({task.id, t, input, trm::arc::crop<int>(state.predictions, side), task.test[t].output,
                       1 / (1 + std::exp(-static_cast<double>(state.halting[0].q_halt))), at != known.end()});
      }
    }
    return all;
  }

 private:
  static int threads(int wanted) { return wanted > 0 ? wanted : trm::cpu::default_threads(); }

  static void check_identifiers(std::size_t rows, std::int64_t identifiers, const std::string& place) {
    if (model::W > 0 && rows != static_cast<std::size_t>(identifiers)) {
      throw trm::error(
          place, fmt::format("has {} puzzle rows, the dataset {} identifiers: it was trained on another dataset", rows,
                             identifiers));
    }
  }
  /// The table and one more row: the mean of the others, as the published code fills a table of another size.
  static trm::puzzle_table<master> with_fresh_row(const trm::puzzle_table<master>& table) {
    const std::size_t width = table.width();
    trm::puzzle_table<master> more(table.rows() + 1, static_cast<int>(width), 1);
    std::copy_n(table.data(), table.rows() * width, more.data());
    for (std::size_t j = 0; j < width; ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < table.rows(); ++i) sum += static_cast<double>(table.data()[i * width + j]);
      more.data()[table.rows() * width + j] =
          static_cast<master>(sum / static_cast<double>(std::max<std::size_t>(table.rows(), 1)));
    }
    return more;
  }
  void write(const std::filesystem::path& path, const trm::weights<model>& w, const master* parameters,
             const trm::puzzle_table<master>& table, long long step, const char* which) const {
    trm::write_weights(path, w, parameters, table,
                       {{"format", checkpoint_format},
                        {"version", trm::version_string},
                        {"preset", name_},
                        {"config", description().dump()},
                        {"step", std::to_string(step)},
                        {"weights", which}});
  }

  /// Runs the solver over a split and scores it. `each(part, examples done, metrics so far)` after every batch.
  template <class Each>
  static trm::json measure(trm::solver<model>& solver, const trm::puzzle_table<master>& table, const trm::dataset& data,
                           const std::vector<std::filesystem::path>& paths, const std::string& split, int max_steps,
                           std::int64_t limit, const std::filesystem::path& output, bool published_submission,
                           Each each) {
    std::optional<trm::arc::evaluator> votes;
    if (split == "test" && std::filesystem::exists(paths.front() / "test_puzzles.json"))
      votes = trm::arc::evaluator::open(paths.front());
    std::int64_t done = 0;
    trm::step_metrics so_far;
    const auto metrics = trm::evaluate(
        solver, table, data.sources(), data.metadata(), max_steps, limit,
        [&](const trm::batch& b, const trm::sequential_part& part, const trm::solver<model>& s) {
          so_far += s.metrics(static_cast<int>(part.rows));
          done += part.rows;
          const auto n = static_cast<std::size_t>(model::S);
          for (std::size_t i = 0; votes && i < static_cast<std::size_t>(part.rows); ++i) {
            const std::span<const int> answers(s.samples().predictions);
            votes->add(b.puzzle_identifiers.empty() ? 0 : b.puzzle_identifiers[i], b.inputs.subspan(i * n, n),
                       answers.subspan(i * n, n), s.samples().halting[i].q_halt);
          }
          each(part, done, so_far);
        });
    trm::json result = {{"split", split}, {"examples", done}, {"supervision_steps", max_steps}};
    for (std::size_t i = 0; i < data.metadata().sets.size(); ++i) {
      trm::step_metrics sum;
      for (std::size_t p = 0; p < paths.size(); ++p) sum += metrics[i * paths.size() + p];
      result[data.metadata().sets[i]] = rates(sum, sum.count, false);
      result[data.metadata().sets[i]]["count"] = sum.count;
    }
    if (votes) {
      const auto scores = votes->result();
      for (const auto& pass : scores.passes) {
        result[fmt::format("ARC/pass@{}", pass.k)] = pass.per_task;
        result[fmt::format("ARC/pass@{} of inputs", pass.k)] = pass.per_input;
      }
      result["test_inputs"] = scores.inputs;
      result["test_inputs_without_prediction"] = scores.inputs_without_prediction;
      if (!output.empty())
        votes->write_submission(output / "submission.json", {.attempts = 2, .published_layout = published_submission});
    }
    return result;
  }

  /// Outputs that `evaluate --save` collects, examples in the order of the dataset.
  class saved_outputs {
   public:
    explicit saved_outputs(const std::vector<std::string>& names) {
      static const std::set<std::string> known{"inputs", "labels",        "puzzle_identifiers", "logits",
                                               "preds",  "q_halt_logits", "q_continue_logits"};
      for (const auto& n : names) {
        if (known.count(n) == 0) {
          throw trm::error(
              "--save", "there is no output \"" + n +
                            "\": inputs, labels, puzzle_identifiers, logits, preds, q_halt_logits, q_continue_logits");
        }
        wanted_.insert(n);
      }
    }
    void add(const trm::solver<model>& s, std::int64_t rows) {
      const auto n = static_cast<std::size_t>(rows), tokens = static_cast<std::size_t>(model::S);
      const auto append = [&](const char* name, auto& to, const auto& from, std::size_t count) {
        if (wanted_.count(name) != 0)
          to.insert(to.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
      };
      append("inputs", inputs_, s.samples().inputs, n * tokens);
      append("labels", labels_, s.samples().labels, n * tokens);
      append("puzzle_identifiers", identifiers_, s.samples().puzzle_identifiers, n);
      append("preds", predictions_, s.samples().predictions, n * tokens);
      append("logits", logits_, s.logits(), n * tokens * static_cast<std::size_t>(model::V));
      for (std::size_t i = 0; i < n; ++i) {
        halt_.push_back(s.samples().halting[i].q_halt);
        continue_.push_back(s.samples().halting[i].q_continue);
      }
      rows_ += rows;
    }
    void write(const std::filesystem::path& path) const {
      if (wanted_.empty()) return;
      trm::safetensors_writer out;
      const auto put = [&]<class T>(const char* name, const std::vector<T>& values, std::vector<std::int64_t> shape) {
        if (wanted_.count(name) != 0) out.add(name, std::move(shape), std::span<const T>(values));
      };
      put("inputs", inputs_, {rows_, model::S});
      put("labels", labels_, {rows_, model::S});
      put("puzzle_identifiers", identifiers_, {rows_});
      put("preds", predictions_, {rows_, model::S});
      put("logits", logits_, {rows_, model::S, model::V});
      put("q_halt_logits", halt_, {rows_});
      put("q_continue_logits", continue_, {rows_});
      out.save(path);
    }

   private:
    std::set<std::string> wanted_;
    std::vector<int> inputs_, labels_, identifiers_, predictions_;
    std::vector<Compute> logits_;
    std::vector<float> halt_, continue_;
    std::int64_t rows_ = 0;
  };

  template <class Optimizer>
  void train_with(const train_options& o) const {
    const auto data = trm::dataset::open(o.data, "train");
    const trm::dataset_metadata& meta = data.metadata();
    require_fit(meta, o.data.front());
    const long long total = o.steps > 0 ? o.steps : trm::training_steps(o.epochs, meta, o.batch);
    if (total < 1) throw trm::error("--steps", "nothing to do: give --steps, or more --epochs");
    // Without a test split the training examples are evaluated, and the metrics say so.
    const std::string split = std::filesystem::exists(o.data.front() / "test" / "dataset.json") ? "test" : "train";
    std::optional<trm::dataset> test;
    if (o.eval_every > 0) test = trm::dataset::open(o.data, split);

    trm::group_sampler<trm::dataset_set> sampler(
        data.sources(), meta.seq_len,
        {.seed = o.seed, .batch = o.batch, .epochs_per_iteration = epochs_per_iteration(o, meta)});
    trm::training_options options{
        .batch = o.batch, .micro_batch = o.micro_batch, .max_steps = o.max_steps, .exploration = o.exploration};
    options.optimizer = {o.learning_rate, o.beta1, o.beta2, o.weight_decay, 1e-8};
    options.puzzle_learning_rate = o.puzzle_learning_rate;
    options.puzzle_weight_decay = o.puzzle_weight_decay;
    options.schedule = {o.warmup, total, o.min_ratio};
    options.ema_rate = o.ema;
    options.clip_norm = o.clip_norm;
    options.puzzle_identifiers = static_cast<std::size_t>(meta.num_puzzle_identifiers);
    options.seed = o.seed;
    device cpu(threads(o.threads));
    trm::trainer<model, Optimizer> trainer(cpu, options);
    trainer.weights().initialise(o.seed);
    trainer.weights_changed();

    program::run_folder run(o.run, o.configuration);
    trm::write_file(run.path() / "model.json", description().dump(2) + "\n");
    for (const char* name : {"identifiers.json", "test_puzzles.json"}) {
      if (std::filesystem::exists(o.data.front() / name))
        trm::write_file(run.path() / name, trm::read_file(o.data.front() / name));
    }
    const auto save = [&](long long step) {
      write(run.checkpoint(step), trainer.weights(), trainer.ema(), trainer.table(), step, o.ema > 0 ? "ema" : "raw");
    };
    if (!o.quiet) {
      const trm::memory_plan plan = trm::plan<model>(o.batch, o.micro_batch);
      fmt::print(stderr, "{}: {:.2f} M parameters, {} puzzle rows, {} steps of {:.1f} GFLOP, {:.0f} MiB of memory\n",
                 name_, model::parameter_count / 1e6, model::W > 0 ? meta.num_puzzle_identifiers : 0, total,
                 plan.flops / 1e9, static_cast<double>(plan.total()) / 1048576);
    }

    trm::batch_memory memory(o.batch, meta.seq_len);
    const trm::batch_view view = memory.view();
    const trm::batch offered{view.inputs, view.labels,
                             model::W > 0 ? std::span<const int>(view.puzzle_identifiers) : std::span<const int>()};
    program::progress shown("steps", total, o.quiet);
    program::note_interruption();
    trm::step_metrics window;
    long long in_window = 0, saved_at = 0;
    double window_began = 0;
    std::unique_ptr<trm::solver<model>> solver;
    long long step = 0;
    while (step < total && !program::interrupted()) {
      sampler.next(view);
      const trm::step_report report = trainer.step(offered);
      step = report.step;
      if (!std::isfinite(report.metrics.loss())) {
        throw trm::error(o.run.string(), fmt::format("the loss of step {} is not finite: try a smaller --lr", step));
      }
      window += report.metrics;
      ++in_window;
      if (step % o.log_every == 0 || step == total) {
        const double samples = static_cast<double>(in_window) * o.batch, now = shown.elapsed();
        const trm::json r = rates(window, samples, model::trains_continue);
        trm::json line = {{"step", step},
                          {"train/lr", report.learning_rate},
                          {"train/count", window.count},
                          {"steps_per_second", static_cast<double>(in_window) / std::max(now - window_began, 1e-9)}};
        if (o.clip_norm > 0) line["train/gradient_norm"] = report.gradient_norm;
        for (const auto& [key, value] : r.items()) line["train/" + key] = value;
        run.metrics(line);
        shown.show(step, [&] {
          const std::string loss = fmt::format("loss {:.4f}", r.at("lm_loss").template get<double>());
          if (window.count == 0) return loss;
          return loss + fmt::format("  exact {:.1f} %  halts after {:.1f} steps",
                                    100 * r.at("exact_accuracy").template get<double>(),
                                    r.at("steps").template get<double>());
        });
        window = {};
        in_window = 0;
        window_began = now;
      }
      if (o.checkpoint_every > 0 && step % o.checkpoint_every == 0) save(saved_at = step);
      if (test && (step % o.eval_every == 0 || step == total)) {
        if (!solver) solver = std::make_unique<trm::solver<model>>(cpu, o.batch);
        solver->use(trainer.ema(), trainer.weights().constants());
        trm::json result = measure(*solver, trainer.table(), *test, o.data, split, o.max_steps,
                                   std::numeric_limits<std::int64_t>::max(), {}, false,
                                   [](const trm::sequential_part&, std::int64_t, const trm::step_metrics&) {});
        result["step"] = step;
        run.metrics(result);
        shown.finish();
        if (!o.quiet) {
          for (const auto& set : meta.sets)
            fmt::print(stderr, "evaluation at step {}: {}: {}\n", step, set, result.value(set, trm::json()).dump());
        }
      }
    }
    shown.finish();
    if (saved_at != step) save(step);
    if (!o.quiet) {
      fmt::print(stderr, "{} after {} steps, {}: {}\n", program::interrupted() ? "stopped" : "done", step,
                 program::duration_text(shown.elapsed()), run.checkpoint(step).string());
    }
  }
  /// As asked, or as many as fill 100 batches: a small set loses little to partial batches then.
  static std::int64_t epochs_per_iteration(const train_options& o, const trm::dataset_metadata& meta) {
    if (o.epochs_per_iteration > 0) return o.epochs_per_iteration;
    const double examples = std::max(1.0, static_cast<double>(meta.total_groups) * meta.mean_puzzle_examples);
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(100.0 * o.batch / examples)));
  }
  static void require_fit(const trm::dataset_metadata& meta, const std::filesystem::path& path) {
    if (meta.seq_len != model::S || meta.vocab_size > model::V) {
      throw trm::error((path / "train" / "dataset.json").string(),
                       fmt::format("{} tokens and {} words, the compiled model has {} and {}", meta.seq_len,
                                   meta.vocab_size, model::S, model::V));
    }
  }

  std::string name_;
};

}  // namespace trm_arc
