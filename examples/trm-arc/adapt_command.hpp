// SPDX-License-Identifier: MIT
// trm-arc adapt.
#pragma once
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "../program/device_option.hpp"
#include "../program/run.hpp"
#include "adapt.hpp"
#include "trm/data/arc/render.hpp"
#include "trm/io/atomic_file.hpp"

namespace trm_arc {

class adapt_command {
 public:
  explicit adapt_command(program::application& app) {
    trm::training_options& t = o_.training;
    c_ = &app.command(
        "adapt", "Adapt a checkpoint to tasks by their demonstrations, and answer them",
        "trm-arc adapt --checkpoint runs/first/checkpoints/step_20000 --task 00d62c1b.json --freeze-weights "
        "--output submission.json",
        [this] { run(); }, [this] { take_preset(); });
    CLI::App& c = *c_;
    c.add_option("--checkpoint", o_.checkpoint, "Trained weights")->required()->type_name("PATH");
    c.add_option("--task", file_, "Task file: one task, or Kaggle's combined layout; default: the run's test tasks")
        ->type_name("FILE");
    c.add_option("--puzzle", puzzle_, "Only this task")->type_name("NAME");
    c.add_option("--steps", o_.steps, "Updates for each task")->capture_default_str()->check(CLI::NonNegativeNumber);
    c.add_option("--augmentations", o_.augmentations, "Augmentations that get rows and votes beside the task itself")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    c.add_flag("--freeze-weights", t.freeze_weights, "Train the new puzzle rows alone");
    add_new_row_option(c, o_.new_row);
    c.get_option("--new-row")->default_str("its own where the checkpoint has it, else mean");
    const auto number = [&](const char* name, auto& field, const char* about, const CLI::Validator& range) {
      c.add_option(name, field, about)->default_str("of the preset")->check(range);
    };
    number("--lr", t.optimizer.learning_rate, "Learning rate of the weights, constant", CLI::NonNegativeNumber);
    number("--weight-decay", t.optimizer.weight_decay, "Their decoupled weight decay", CLI::NonNegativeNumber);
    number("--puzzle-lr", t.puzzle_learning_rate, "Learning rate of the puzzle rows, constant", CLI::NonNegativeNumber);
    number("--puzzle-weight-decay", t.puzzle_weight_decay, "Their weight decay", CLI::NonNegativeNumber);
    number("--batch", t.batch, "Samples of an update, and questions at a time", CLI::PositiveNumber);
    number("--max-steps", t.max_steps, "Supervision steps of a sample and of a question", CLI::PositiveNumber);
    c.add_option("--seed", t.seed, "Seed of augmentations and examples")->capture_default_str();
    add_identifiers_option(c, identifiers_);
    c.add_option("--preset", preset_, "Model, where the checkpoint does not say it");
    c.add_option("--output", output_, "File for the answers, as a submission: two attempts for each test input")
        ->type_name("FILE");
    c.add_option("--save", save_, "Folder for the adapted checkpoint, of one task: weights, its rows, their names")
        ->type_name("FOLDER");
    program::add_device_option(c);
    c.add_option("--threads", o_.threads, "Threads; 0: all processors. The result does not depend on it")
        ->capture_default_str()
        ->check(CLI::Range(0, program::most_threads));
    c.add_flag("--json", json_, "Print what was measured as JSON");
    c.add_flag("--quiet", o_.quiet, "No progress");
  }

 private:
  void run() {
    const std::vector<trm::arc::task> tasks = read_tasks();
    if (!save_.empty() && tasks.size() > 1) throw program::usage_error("--save", "takes one task: give --puzzle");
    if (identifiers_.empty()) identifiers_ = companion(o_.checkpoint, "identifiers.json");
    trained_rows from(o_.checkpoint, identifiers_);

    const auto model = from_->make();
    const int side = trm::arc::canvas_side(static_cast<std::size_t>(model->description().tokens));
    std::vector<task_puzzles> puzzles;
    std::vector<std::string> names;
    for (const trm::arc::task& task : tasks) {
      require_canvas(task, side);
      puzzles.push_back(puzzles_of(task, o_, from));
      names.insert(names.end(), puzzles.back().names.begin(), puzzles.back().names.end());
    }
    trm::arc::evaluator before(tasks, names, no_blank), after(tasks, names, no_blank);
    trm::json told = trm::json::object();
    std::size_t first = 0;
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      const adapt_progress p = answer(*model, from_->name, tasks[t], puzzles[t], side, first, before, after);
      first += puzzles[t].names.size();
      told["tasks"][tasks[t].id] = report(tasks[t], t, puzzles[t], p, before, after);
    }
    if (!output_.empty()) after.write_submission(output_);
    if (json_) {
      told["before"] = trm::arc::to_json(before.result(trm::arc::voting::pooled));
      told["after"] = trm::arc::to_json(after.result(trm::arc::voting::pooled));
      fmt::print("{}\n", told.dump());
    } else if (tasks.size() > 1) {
      print_sum("before", before), print_sum("after", after);
    }
  }

  void take_preset() {
    from_ = &presets_.of_checkpoint(o_.checkpoint, preset_);
    trm::training_options& o = o_.training;
    const trm::training_options& from = from_->training;
    const auto take = [&](const char* name, auto& field, const auto& value) {
      CLI::Option* option = c_->get_option(name);
      if (option->count() > 0) return;
      field = value;
      option->default_str(fmt::format("{}", value));
    };
    take("--lr", o.optimizer.learning_rate, from.optimizer.learning_rate);
    take("--weight-decay", o.optimizer.weight_decay, from.optimizer.weight_decay);
    take("--puzzle-lr", o.puzzle_learning_rate, from.puzzle_learning_rate);
    take("--puzzle-weight-decay", o.puzzle_weight_decay, from.puzzle_weight_decay);
    take("--batch", o.batch, from.batch);
    take("--max-steps", o.max_steps, from.max_steps);
    o.optimizer.beta1 = from.optimizer.beta1, o.optimizer.beta2 = from.optimizer.beta2;
    o.exploration = from.exploration;
    o_.optimizer = from_->optimizer;
  }
  std::vector<trm::arc::task> read_tasks() const {
    std::filesystem::path file = file_;
    if (file.empty()) {
      file = companion(o_.checkpoint, "test_puzzles.json");
      if (file.empty())
        throw program::usage_error("--task", "the checkpoint has no test_puzzles.json: give a task file");
    }
    std::vector<trm::arc::task> tasks = trm::arc::read_tasks(file);
    if (!puzzle_.empty()) {
      std::erase_if(tasks, [&](const trm::arc::task& t) { return t.id != puzzle_; });
      if (tasks.empty()) throw trm::error(file.string(), "has no task " + trm::detail::printable(puzzle_, 60));
    }
    return tasks;
  }
  static void require_canvas(const trm::arc::task& task, int side) {
    for (std::size_t i = 0; i < task.test.size(); ++i) {
      const trm::arc::grid& input = task.test[i].input;
      if (input.rows() <= side && input.columns() <= side) continue;
      throw trm::error("task " + task.id, fmt::format("test input {} is {} x {}, the model's canvas {} x {}", i,
                                                      input.rows(), input.columns(), side, side));
    }
  }
  adapt_progress answer(const program::any_model& model, const std::string& preset, const trm::arc::task& task,
                        const task_puzzles& puzzles, int side, std::size_t first, trm::arc::evaluator& before,
                        trm::arc::evaluator& after) const {
    const trm::arc::demonstrations examples(task, puzzles.how, side, o_.training.seed);
    trm::training_options training = o_.training;
    training.puzzle_identifiers = puzzles.rows.size();
    const auto trainer = model.trainer(training, o_.optimizer, o_.threads, preset);
    trainer->adapt(o_.checkpoint, puzzles.rows);
    ask(trainer->solver(), task, puzzles, side, training.max_steps, first, before);
    const adapt_progress p = adapt(*trainer, examples, side, o_);
    ask(trainer->solver(), task, puzzles, side, training.max_steps, first, after);
    if (!save_.empty()) {
      trainer->save(save_, {{"adapted_from", o_.checkpoint.string()}, {"task", task.id}},
                    [&](const std::filesystem::path& folder) -> std::vector<std::string> {
                      trm::write_file(folder / "identifiers.json", trm::json(puzzles.names).dump());
                      return {"identifiers.json"};
                    });
    }
    return p;
  }
  trm::json report(const trm::arc::task& task, std::size_t t, const task_puzzles& puzzles, const adapt_progress& p,
                   const trm::arc::evaluator& before, const trm::arc::evaluator& after) const {
    const auto then = before.view(t, 2), now = after.view(t, 2);
    trm::json told = {{"puzzles", puzzles.names.size()},
                      {"loss_before", p.loss_before},
                      {"loss_after", p.loss_after},
                      {"seconds", p.seconds},
                      {"tests", trm::json::array()}};
    if (!json_) {
      fmt::print("{}: {} demonstrations, {} puzzle rows, {} steps in {:.1f} s, loss {:.4f} -> {:.4f}\n", task.id,
                 task.train.size(), puzzles.names.size(), o_.steps, p.seconds, p.loss_before, p.loss_after);
    }
    for (std::size_t i = 0; i < task.test.size(); ++i) {
      const auto& truth = task.test[i].output;
      const trm::arc::grid first = best(then.inputs[i]), last = best(now.inputs[i]);
      trm::json one = {{"before", grid_json(first)}, {"after", grid_json(last)}, {"votes", votes(now.inputs[i])}};
      if (truth) one["correct_before"] = first == *truth, one["correct"] = last == *truth;
      told["tests"].push_back(one);
      if (json_) continue;
      fmt::print("test {}: {} of {} votes, halting confidence {:.3f}\n", i, votes(now.inputs[i]), now.inputs[i].votes,
                 now.inputs[i].answers.empty() ? 0 : now.inputs[i].answers[0].confidence);
      std::vector<trm::arc::panel> panels{
          {"input", task.test[i].input}, {"before", first, truth}, {"adapted", last, truth}};
      if (truth) panels.push_back({"truth", *truth});
      fmt::print("{}", trm::arc::render(panels, colours()));
      if (truth) fmt::print("{} before, {} adapted\n", word(first == *truth), word(last == *truth));
    }
    return told;
  }

  static constexpr std::int64_t no_blank = -1;
  static const char* word(bool right) { return right ? "right" : "wrong"; }
  static trm::arc::grid best(const trm::arc::input_view& in) {
    return in.answers.empty() ? trm::arc::grid() : in.answers[0].cells;
  }
  static std::size_t votes(const trm::arc::input_view& in) { return in.answers.empty() ? 0 : in.answers[0].votes; }
  static trm::json grid_json(const trm::arc::grid& g) { return trm::json::parse(trm::arc::to_json(g)); }
  static trm::arc::palette colours() {
    return !program::shows_colours()      ? trm::arc::palette::plain
           : program::shows_true_colour() ? trm::arc::palette::true_colour
                                          : trm::arc::palette::ansi_256;
  }
  static void print_sum(const char* when, const trm::arc::evaluator& votes) {
    const trm::arc::evaluation all = votes.result(trm::arc::voting::pooled);
    for (const trm::arc::pass_at& pass : all.passes) {
      if (pass.k <= 2)
        fmt::print("{:<7} ARC/pass@{} {:6.2f} % of {} tasks\n", when, pass.k, 100 * pass.per_task, all.tasks);
    }
  }

  program::preset_list presets_;
  const program::preset* from_ = nullptr;
  adapt_options o_;
  std::filesystem::path file_, identifiers_, output_, save_;
  std::string puzzle_, preset_;
  bool json_ = false;
  CLI::App* c_ = nullptr;
};

}  // namespace trm_arc
