// SPDX-License-Identifier: MIT
// any_model for one compiled configuration. The only header of the programs that instantiates a model: one source file for each.
#pragma once
#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "any_model.hpp"
#include "machine.hpp"
#include "orders.hpp"
#include "trm/io/checkpoint.hpp"
#include "trm/io/infer_config.hpp"
#include "trm/io/model_config.hpp"
#include "trm/io/model_files.hpp"
#include "trm/io/puzzle_rows.hpp"
#include "trm/io/weights.hpp"
#include "trm/optim/any_optimizer.hpp"
#include "trm/optim/new_row.hpp"
#include "trm/train/adapt.hpp"
#include "trm/train/evaluate.hpp"
#include "trm/train/evaluate_together.hpp"
#include "trm/train/trainer.hpp"
#include "trm/version.hpp"

namespace program {

namespace detail {

template <class Model>
using table_of = trm::puzzle_table<typename Model::master>;

template <class Model>
void save_weights(const std::filesystem::path& path, const trm::weights<Model>& w,
                  const typename Model::master* parameters, const table_of<Model>& table,
                  std::map<std::string, std::string> about) {
  about["format"] = trm::weights_format;
  about["version"] = trm::version_string;
  about["config"] = trm::to_json(Model::description).dump();
  trm::write_weights(path, w, parameters, table, about);
}

/// A solver on a device, with weights and a table that live elsewhere. Of several processes, all evaluate, and the first is shown what
/// all have done.
template <class Model, class Backend = trm::cpu::context<>>
class solver_on : public any_solver {
 public:
  using master = typename Model::master;

  solver_on(Backend& cpu, int batch) : solver_(cpu, batch) {}
  void use(const master* parameters, const master* constants, const trm::puzzle_rows<master>& rows) {
    solver_.use(parameters, constants);
    rows_ = trm::puzzle_overlay<master>(rows);
  }

  int batch_size() const override { return solver_.batch_size(); }
  std::size_t identifiers() const override { return rows_.view().rows(); }
  int add_row(const trm::new_row& how) override { return rows_.add(how); }
  void begin(const trm::batch& b) override { solver_.begin(b, rows_.view()); }
  void step() override { solver_.step(); }
  void add_noise(int sample, double deviation, const trm::draws& from) override {
    solver_.add_noise(sample, deviation, from);
  }
  const trm::samples& samples() const override { return shown_ == nullptr ? solver_.samples() : *shown_; }
  trm::step_metrics metrics(int count) const override {
    return shown_ == nullptr ? solver_.metrics(count) : trm::metrics_of(*shown_, count);
  }
  trm::element_type logits_type() const override { return trm::element_type_of<typename Model::compute>(); }
  void append_logits(int count, std::vector<std::byte>& to) const override {
    if (shown_ != nullptr) throw trm::error("logits", "can be saved by one process alone, of whole batches");
    const auto bytes = std::as_bytes(solver_.logits().first(static_cast<std::size_t>(count) * Model::S * Model::V));
    to.insert(to.end(), bytes.begin(), bytes.end());
  }
  std::vector<trm::step_metrics> evaluate(const example_data& data, int max_steps, std::int64_t max_batches,
                                          const after_batch& each) override {
    if (!alone()) return evaluate_together(data, max_steps, max_batches, each);
    return trm::evaluate(
        solver_, rows_.view(), std::span<const any_source>(data.sources), data.metadata, max_steps, max_batches,
        [&](const trm::batch& b, const trm::sequential_part& part, const auto&) { each(b, part, *this); });
  }
  trm::exit_report evaluate(const example_data& data, const trm::exit_rule& rule, const trm::rollouts& attempts,
                            std::int64_t max_samples, const after_batch& each) override {
    if (!alone()) throw trm::error("--confidence, --rollouts", "are for one process");
    trm::samples one(1, Model::S, Model::P);
    return trm::evaluate_with_exit(
        solver_, rows_.view(), std::span<const any_source>(data.sources), data.metadata, rule, attempts, max_samples,
        [&](const trm::sequential_part& part, int i, const auto& s) {
          one.show(s.samples(), i);
          shown_ = &one;
          each({one.inputs, one.labels,
                Model::W > 0 ? std::span<const int>(one.puzzle_identifiers) : std::span<const int>()},
               part, *this);
          shown_ = nullptr;
        });
  }

 private:
  std::vector<trm::step_metrics> evaluate_together(const example_data& data, int max_steps, std::int64_t max_batches,
                                                   const after_batch& each) {
    carried_out now(order::evaluate, max_steps, max_batches);
    const auto after = [&](const trm::batch& b, const trm::sequential_part& part, const trm::samples& all) {
      share_interruption();
      std::exception_ptr failed;
      if (first_process()) {
        shown_ = &all;
        try {
          each(b, part, *this);
        } catch (...) {
          failed = std::current_exception();
        }
        shown_ = nullptr;
      }
      if (!any_process(failed != nullptr)) return;
      now.done();
      if (failed) std::rethrow_exception(failed);
      throw evaluation_stopped();
    };
    return trm::evaluate_together(solver_, rows_.view(), std::span<const any_source>(data.sources), data.metadata,
                                  max_steps, max_batches, processes(), after);
  }

  const trm::samples* shown_ = nullptr;  // those of all processes, or the one that has stopped
  trm::puzzle_overlay<master> rows_;
  trm::solver<Model, Backend> solver_;
};

/// The dense weights of a checkpoint, and its puzzle rows, which stay in their file; no rows where it has dense weights alone.
template <class Model>
struct stored_weights {
  trm::model_files files;
  trm::weights<Model> weights;
  trm::puzzle_rows<typename Model::master> rows{nullptr, 0, static_cast<std::size_t>(Model::W)};

  explicit stored_weights(const std::filesystem::path& path) : files(trm::model_files::open(path)) {
    if (const auto config = files.about().find("config"); config != files.about().end()) {
      trm::check_same_config(trm::parse_json(config->second, path.string() + ": config"), Model::description,
                             path.string());
    }
    trm::check_tensors(files.weights(), trm::expected_tensors<Model>());
    trm::check_puzzle_table(files.table().get(), Model::W);
    trm::read_weights(files.weights(), weights);
    if (Model::W > 0 && files.table()) {
      const std::string name = Model::puzzle_table_name;
      rows = trm::stored_puzzle_rows<typename Model::master>(files.table()->view(name), Model::W,
                                                             files.table()->place(name));
    }
  }
};

/// What a Backend computes on, and the backend itself: its name; context; int8_solver; and the processes that train with it, of the type
/// communicator.
template <class Backend>
struct computer;
/// Processes that talk through the host whatever they compute on.
struct host_processes {
  using communicator = trm::any_communicator;
  static communicator& processes() { return program::processes(); }
};

/// A solver with weights of its own.
template <class Model, class Backend>
struct checkpoint_weights {
  computer<Backend> on;
  stored_weights<Model> stored;
};
template <class Model, class Backend>
class checkpoint_solver final : checkpoint_weights<Model, Backend>, public solver_on<Model, Backend> {
 public:
  checkpoint_solver(const std::filesystem::path& path, int batch, int threads)
      : checkpoint_weights<Model, Backend>{computer<Backend>(threads), stored_weights<Model>(path)},
        solver_on<Model, Backend>(this->on.context, batch) {
    this->use(this->stored.weights.parameters(), this->stored.weights.constants(), this->stored.rows);
  }
};

template <class Model, class Backend>
class trainer_of : public any_trainer {
 public:
  trainer_of(const trm::training_options& options, const std::string& optimizer, int threads, std::string preset)
      : on_(threads),
        trainer_(on_.context, options, on_.processes(), trm::any_optimizer(optimizer)),
        preset_(std::move(preset)) {
    trainer_.initialise(options.seed);
  }
  int local_batch() const override { return trainer_.local_batch(); }
  std::optional<trm::step_report> ask(const trm::batch& offered) override {
    return reported(order::step, [&]() -> std::optional<trm::step_report> {
      if constexpr (ahead) {
        return trainer_.step_ahead(offered);
      } else {
        return trainer_.step(offered);
      }
    });
  }
  std::optional<trm::step_report> finish() override {
    if constexpr (ahead) {
      return reported(order::finish, [&] { return trainer_.finish(); });
    } else {
      return std::nullopt;
    }
  }
  void save(const std::filesystem::path& path, const trm::json& more,
            const trm::checkpoint_additions& add) const override {
    {
      const carried_out now(order::save);
      trainer_.gather_samples();
    }
    if (!first_process()) return;
    trm::json all = more;
    all["preset"] = preset_;
    trm::write_checkpoint(path, trainer_, {{"preset", preset_}}, all, add);
  }
  void resume(const trm::checkpoint_folder& from) override {
    carried_out now(order::resume, 0, 0, from.path());
    now.agreed([&] {
      if (first_process()) trm::together(processes(), [] {});  // the others open it
      trm::together(processes(), [&] { trm::read_checkpoint(from, trainer_); });
      require_same_weights();
    });
  }
  void begin_from(const std::filesystem::path& checkpoint, long long step) override {
    carried_out now(order::begin_from, step, 0, checkpoint);
    now.agreed([&] {
      trm::together(processes(), [&] { read_weights(checkpoint, step); });
      require_same_weights();
    });
  }
  void adapt(const std::filesystem::path& checkpoint, std::span<const trm::new_row> rows) override {
    if constexpr (Model::W > 0) {
      const stored_weights<Model> stored(checkpoint);
      trm::begin_adaptation(trainer_, stored.weights, stored.rows, rows);
    } else {
      throw trm::error(checkpoint.string(), "its model has no puzzle rows: " + std::to_string(rows.size()) + " wanted");
    }
  }
  any_solver& solver() override {
    if (!solver_) solver_.emplace(on_.context, trainer_.local_batch());
    const auto& trained = std::as_const(trainer_);  // whoever writes takes all of it to a device again
    solver_->use(trained.ema(), trained.weights().constants(), trained.table());
    return *solver_;
  }

 private:
  using trainer = trm::trainer<Model, trm::any_optimizer, Backend, typename computer<Backend>::communicator>;
  /// Does the device go on while the next batch is made?
  static constexpr bool ahead = requires(trainer & t, const trm::batch& b) { t.step_ahead(b); };

  template <class F>
  std::optional<trm::step_report> reported(order what, F f) {
    carried_out now(what);
    try {
      const std::optional<trm::step_report> report = f();
      share_interruption();
      return report;
    } catch (const trm::not_finite_error& e) {
      if (alone()) throw;
      // The one whose samples they are says where it began.
      trm::collectives group(processes());
      const auto said = group.gather_each(e.what());
      trm::not_finite_error longest(*std::ranges::max_element(said, {}, &std::string::size));
      longest.state_finite = !group.any(!e.state_finite);
      now.done();
      throw longest;
    }
  }
  void read_weights(const std::filesystem::path& checkpoint, long long step) {
    using master = typename Model::master;
    const stored_weights<Model> stored(checkpoint);
    std::copy_n(stored.weights.parameters(), Model::extent, trainer_.weights().parameters());
    std::copy_n(stored.weights.constants(), Model::constant_extent, trainer_.weights().constants());
    trm::puzzle_table<master>& table = trainer_.table();
    const bool same = stored.rows.rows() == table.rows();
    const std::vector<master> mean = table.rows() == 0 || same ? std::vector<master>() : trm::mean_row(stored.rows);
    for (std::size_t i = 0; i < table.rows(); ++i) {
      master* row = table.data() + i * table.width();
      if (same) {
        stored.rows.read(static_cast<int>(i), row);
      } else {
        std::copy(mean.begin(), mean.end(), row);
      }
    }
    trainer_.resume({.step = step, .moments_since = step});
  }
  /// All processes may have read another file of the same name.
  void require_same_weights() const {
    if (alone()) return;
    const std::span<const typename Model::master> values(trainer_.weights().parameters(), Model::extent);
    trm::sha256 hash;
    hash.update({reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()});
    trm::require_agreement(processes(), {{"weights", trm::to_hex(hash.finish())}});
  }

  computer<Backend> on_;
  trainer trainer_;
  std::string preset_;
  std::optional<solver_on<Model, Backend>> solver_;
};

}  // namespace detail

/// `Parts`: a network and an output head of one's own, as of trm::model.
template <class Backend, trm::config C, class Compute, class... Parts>
class compiled_model : public any_model {
 public:
  using model = trm::model<C, Compute, Parts...>;

  const char* device() const override { return detail::computer<Backend>::name; }
  const trm::config& description() const override { return description_; }
  const char* arithmetic() const override { return std::is_same_v<Compute, float> ? "float32" : "bf16"; }
  std::int64_t parameters() const override { return static_cast<std::int64_t>(model::parameter_count); }
  bool trains_continue() const override { return model::trains_continue; }
  trm::memory_plan plan(int batch, int micro_batch) const override { return trm::plan<model>(batch, micro_batch); }
  std::unique_ptr<any_trainer> trainer(const trm::training_options& options, const std::string& optimizer, int threads,
                                       const std::string& preset) const override {
    carried_out now(order::make_trainer);
    return now.agreed([&]() -> std::unique_ptr<any_trainer> {
      return std::make_unique<detail::trainer_of<model, Backend>>(options, optimizer, threads, preset);
    });
  }
  std::unique_ptr<any_solver> solver(const std::filesystem::path& checkpoint, int batch, int threads,
                                     products by) const override {
    if (by == products::int8) return detail::computer<Backend>::template int8_solver<model>(checkpoint, batch, threads);
    return std::make_unique<detail::checkpoint_solver<model, Backend>>(checkpoint, batch, threads);
  }
  void init(const std::filesystem::path& path, std::int64_t identifiers, std::uint64_t seed,
            const std::string& preset) const override {
    trm::weights<model> w;
    w.initialise(seed);
    detail::save_weights<model>(path, w, w.parameters(),
                                detail::table_of<model>(static_cast<std::size_t>(identifiers), model::W, 1),
                                {{"preset", preset}, {"step", "0"}, {"weights", "initial"}});
  }

 private:
  static constexpr trm::config description_ = C;
};

}  // namespace program

// A preset that nvcc compiles has a GPU's instead: compiled_cuda_model.hpp. nvcc cannot read the CPU's vectors.
#ifndef TRM_PRESET_ON_CUDA
#include "compiled_cpu_model.hpp"
#endif
