// SPDX-License-Identifier: MIT
// Models, trainers and solvers whose compiled configuration is chosen at run time.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "any_source.hpp"
#include "device.hpp"
#include "trm/data/sequential_reader.hpp"
#include "trm/io/checkpoint.hpp"
#include "trm/io/element_type.hpp"
#include "trm/io/infer_config.hpp"
#include "trm/io/json.hpp"
#include "trm/io/model_files.hpp"
#include "trm/models/config.hpp"
#include "trm/models/plan.hpp"
#include "trm/optim/new_row.hpp"
#include "trm/train/early_exit.hpp"
#include "trm/train/trainer.hpp"

namespace program {

/// sigmoid(logit): the halting confidence of q_halt.
inline double probability(double logit) { return 1 / (1 + std::exp(-logit)); }

/// What a solver multiplies weights with: the model's own arithmetic, or int8 (trm::cpu::int8_product).
enum class products { as_trained, int8 };

/// Its option, the same for every command.
inline constexpr const char* int8_option = "Multiply in int8: faster, and not quite as exact";

/// trm::solver, its model's type forgotten.
class any_solver {
 public:
  /// After every batch of an evaluation: the batch, the part of it that is examples, the solver.
  using after_batch = std::function<void(const trm::batch&, const trm::sequential_part&, const any_solver&)>;

  virtual ~any_solver() = default;
  virtual int batch_size() const = 0;
  /// Rows of the puzzle table; 0 where the model has none.
  virtual std::size_t identifiers() const = 0;
  /// One more row behind those of the table; returns its identifier. Requires a model with puzzle rows.
  virtual int add_row(const trm::new_row& how) = 0;
  virtual void begin(const trm::batch& b) = 0;
  virtual void step() = 0;
  /// trm::solver::add_noise
  virtual void add_noise(int sample, double deviation, const trm::draws& from) = 0;
  virtual const trm::samples& samples() const = 0;
  virtual trm::step_metrics metrics(int count) const = 0;
  /// Appends the logits of the first `count` samples, [count, S, V], as they are in memory.
  virtual void append_logits(int count, std::vector<std::byte>& to) const = 0;
  virtual trm::element_type logits_type() const = 0;
  /// trm::evaluate: the metrics of each source.
  virtual std::vector<trm::step_metrics> evaluate(const example_data& data, int max_steps, std::int64_t max_batches,
                                                  const after_batch& each) = 0;
  /// trm::evaluate_with_exit, at most `max_samples` examples; `each` sees them one at a time, in the order in which they stop.
  virtual trm::exit_report evaluate(const example_data& data, const trm::exit_rule& rule, const trm::rollouts& attempts,
                                    std::int64_t max_samples, const after_batch& each) = 0;
};

/// trm::trainer, its model's type forgotten. Of several processes the first calls it, and the others do as they are told: orders.hpp.
class any_trainer {
 public:
  virtual ~any_trainer() = default;
  /// The samples of the batch that this process works on: all of them, or its part where there are several.
  virtual int local_batch() const = 0;
  /// Asks for the next step. Returns its report where the step is done by then; where a device goes on with it, the report of the step
  /// before, none at first. `offered` is free again.
  /// \throws trm::not_finite_error of the step whose report it would be, where loss or gradient are not finite; the trainer is then as
  /// before that step, and nothing is left of one that was asked for since
  virtual std::optional<trm::step_report> ask(const trm::batch& offered) = 0;
  /// Waits for the step that was asked for last, and returns its report where ask() has not; none where nothing is left. Comes before
  /// all other calls. \throws as ask() does
  virtual std::optional<trm::step_report> finish() = 0;
  /// Both: one step, and its report.
  trm::step_report step(const trm::batch& offered) {
    const std::optional<trm::step_report> done = ask(offered);
    return done ? *done : finish().value();
  }
  /// Writes a checkpoint (trm::write_checkpoint). `more` joins its manifest, `add` its files.
  virtual void save(const std::filesystem::path& path, const trm::json& more,
                    const trm::checkpoint_additions& add = {}) const = 0;
  /// Goes on after a checkpoint.
  virtual void resume(const trm::checkpoint_folder& from) = 0;
  /// Takes the weights, and nothing else, of a trained model; the next step is step + 1. Of a puzzle table of another size all rows take the mean.
  virtual void begin_from(const std::filesystem::path& checkpoint, long long step) = 0;
  /// Takes the weights of a trained model; the table becomes the rows `rows`, made from the model's (trm::begin_adaptation).
  virtual void adapt(const std::filesystem::path& checkpoint, std::span<const trm::new_row> rows) = 0;
  /// A solver with the weights that save() would have evaluated. It is made at the first call and lives with the trainer.
  virtual any_solver& solver() = 0;
};

/// One compiled configuration.
class any_model {
 public:
  virtual ~any_model() = default;
  virtual const char* device() const = 0;  // "cpu", "cuda"
  virtual const trm::config& description() const = 0;
  virtual const char* arithmetic() const = 0;  // "float32", "bf16"
  virtual std::int64_t parameters() const = 0;
  virtual bool trains_continue() const = 0;
  virtual trm::memory_plan plan(int batch, int micro_batch) const = 0;
  virtual std::unique_ptr<any_trainer> trainer(const trm::training_options& options, const std::string& optimizer,
                                               int threads, const std::string& preset) const = 0;
  /// A solver with the weights of a checkpoint, whose configuration must be this one. Its puzzle rows stay in the file.
  virtual std::unique_ptr<any_solver> solver(const std::filesystem::path& checkpoint, int batch, int threads,
                                             products by = products::as_trained) const = 0;
  /// Writes untrained weights.
  virtual void init(const std::filesystem::path& path, std::int64_t identifiers, std::uint64_t seed,
                    const std::string& preset) const = 0;
};

/// A model by its name on the command line, with the numbers it is trained with where nothing else is said.
struct preset {
  std::string name, about;
  std::unique_ptr<any_model> (*make)() = nullptr;
  trm::training_options training = {};
  std::string optimizer = "adam_atan2";
  long long steps = 0;
};

/// A preset joins its program by an object of this type in a source file of its own: what is linked is there.
class registered_preset {
 public:
  explicit registered_preset(preset p) { all().push_back(std::move(p)); }
  static std::vector<preset>& all() {
    static std::vector<preset> presets;
    return presets;
  }
};

/// The presets of a program, small ones first. Several of one name differ in the number of tokens, or in the device: of these the
/// chosen one's are found.
class preset_list {
 public:
  preset_list() : all_(registered_preset::all()) {
    const auto order = [](const preset& p) {
      const auto model = p.make();
      const trm::config c = model->description();
      return std::tuple(c.hidden, p.name, c.tokens, std::string(model->device()));
    };
    std::ranges::sort(all_, {}, order);
  }

  /// The preset `name` for examples of `tokens` tokens, on the chosen device or another. \throws trm::error that says what there is
  const preset& find(const std::string& name, int tokens) const { return find(name, tokens, chosen_device()); }
  const preset& find(const std::string& name, int tokens, const std::string& device) const {
    std::string sizes;
    for (const preset& p : all_) {
      if (p.name != name || p.make()->device() != device) continue;
      const int here = p.make()->description().tokens;
      if (here == tokens) return p;
      sizes += (sizes.empty() ? "" : ", ") + std::to_string(here);
    }
    if (sizes.empty()) {
      const bool elsewhere = std::ranges::find(all_, name, &preset::name) != all_.end();
      throw trm::error("--preset", fmt::format("there is no preset \"{}\"{}: {}", trm::detail::printable(name, 60),
                                               elsewhere ? " for --device " + device : "", names(device)));
    }
    throw trm::error("preset " + name,
                     "is compiled for examples of " + sizes + " tokens, not of " + std::to_string(tokens));
  }
  /// The preset that the checkpoint says it was trained with, or `name` where that is not empty. Where it says nothing (a file of
  /// torch.save): the one that its tensors fit, among those of `name` and of `tokens` where these are given.
  const preset& of_checkpoint(const std::filesystem::path& checkpoint, std::string name, int tokens_wanted = 0) const {
    const auto files = trm::model_files::open(checkpoint, trm::model_files::verify::sizes);
    const auto& about = files.about();
    if (about.count("config") == 0) return fitting(files, name, tokens_wanted);
    const trm::json config = trm::parse_json(about.at("config"), checkpoint.string() + ": config");
    const int tokens = static_cast<int>(trm::json_field(config, checkpoint.string()).at("tokens").integer(1, 1 << 20));
    if (name.empty() && about.count("preset") != 0) name = about.at("preset");
    if (name.empty())
      throw trm::error(checkpoint.string(), "does not name its preset: give --preset (" + names() + ")");
    return find(name, tokens);
  }
  /// "small, paper": of all, or of a device.
  std::string names(const std::string& device = {}) const {
    std::string text;
    const std::string* last = nullptr;
    for (const preset& p : all_) {
      if (!device.empty() && p.make()->device() != device) continue;
      if (last == nullptr || *last != p.name) text += (text.empty() ? "" : ", ") + p.name;
      last = &p.name;
    }
    return text;
  }
  /// One line a preset, for --help.
  std::string descriptions() const {
    std::string text;
    for (const preset& p : all_) {
      if (p.make()->device() == std::string("cpu")) text += fmt::format("  {:<18} {}\n", p.name, p.about);
    }
    return text;
  }

 private:
  /// By what names and shapes say.
  const preset& fitting(const trm::model_files& files, const std::string& name, int tokens) const {
    std::vector<const preset*> candidates, fit;
    const std::string device = chosen_device();
    for (const preset& p : all_) {
      if (p.make()->device() != device) continue;
      const bool sized = tokens == 0 || p.make()->description().tokens == tokens;
      if (sized && (name.empty() || p.name == name)) candidates.push_back(&p);
    }
    if (!name.empty() && candidates.empty()) return find(name, tokens);
    if (!name.empty() && candidates.size() == 1) return *candidates.front();
    const trm::inferred_config facts = trm::infer_config(files.weights(), files.table().get());
    std::string texts, difference;
    for (const preset* p : candidates) {
      const trm::config c = p->make()->description();
      if (const auto first = trm::difference(facts, c)) {
        difference = fmt::format("; {}: {}", p->name, *first);
      } else {
        fit.push_back(p);
        texts += fmt::format("{}{} ({} tokens)", texts.empty() ? "" : ", ", p->name, c.tokens);
      }
    }
    if (fit.size() == 1) return *fit.front();
    if (fit.empty()) {
      throw trm::error(files.path().string(),
                       fmt::format("fits no preset{}: it has {}{}", name.empty() ? "" : " " + name, trm::to_text(facts),
                                   difference));
    }
    throw trm::error(files.path().string(), "does not say which model it belongs to, and fits " + texts +
                                                ": give --preset, or a checkpoint folder, which says it");
  }

  std::vector<preset> all_;
};

}  // namespace program
