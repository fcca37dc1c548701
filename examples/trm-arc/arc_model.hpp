// SPDX-License-Identifier: MIT
// What trm-arc does with a model, whatever its compiled configuration.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/io/json.hpp"

namespace trm_arc {

struct train_options {
  std::vector<std::filesystem::path> data;
  std::filesystem::path run;
  std::string configuration;  // as TOML, for the run folder
  int batch = 32, micro_batch = 0, threads = 0, max_steps = 16;
  double epochs = 0;
  long long steps = 0;
  double learning_rate = 1e-4, weight_decay = 0.1, beta1 = 0.9, beta2 = 0.95, min_ratio = 1, clip_norm = 0,
         exploration = 0.1;
  double puzzle_learning_rate = 1e-2, puzzle_weight_decay = 0.1, ema = 0.999;
  long long warmup = 2000;
  std::int64_t eval_every = 0, checkpoint_every = 0, log_every = 10, epochs_per_iteration = 0;
  std::string optimizer = "adam_atan2";
  std::uint64_t seed = 0;
  bool quiet = false;
};

struct evaluate_options {
  std::vector<std::filesystem::path> data;
  std::filesystem::path checkpoint, output;
  std::string split = "test";
  std::int64_t max_batches = 0;  // 0: all
  int batch = 32, threads = 0, max_steps = 16;
  std::vector<std::string> save;
  bool published_submission = false, quiet = false;
};

struct predict_options {
  std::filesystem::path checkpoint;
  std::filesystem::path identifiers;  // of the dataset the model was trained on; empty: none
  std::vector<trm::arc::task> tasks;
  int threads = 0, max_steps = 16;
};

struct prediction {
  std::string task;
  std::size_t test = 0;  // number of the task's test input
  trm::arc::grid input, output;
  std::optional<trm::arc::grid> truth;
  double confidence = 0;  // sigmoid of q_halt
  bool known_puzzle = false;
};

/// One compiled configuration.
class arc_model {
 public:
  virtual ~arc_model() = default;
  virtual std::string name() const = 0;
  virtual int tokens() const = 0;
  virtual trm::json description() const = 0;
  virtual void init(const std::filesystem::path& output, std::int64_t identifiers, std::uint64_t seed) const = 0;
  virtual void train(const train_options& o) const = 0;
  /// The metrics, also written to OUTPUT/metrics.json.
  virtual trm::json evaluate(const evaluate_options& o) const = 0;
  virtual std::vector<prediction> predict(const predict_options& o) const = 0;
};

// One for each preset; see preset_*.cpp.
std::unique_ptr<arc_model> make_paper();
std::unique_ptr<arc_model> make_paper_bf16();
std::unique_ptr<arc_model> make_small();
std::unique_ptr<arc_model> make_small_10();

}  // namespace trm_arc
