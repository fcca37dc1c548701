// SPDX-License-Identifier: MIT
// What a run trains on, and what follows from it and the options: the order of the examples, the number of steps.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "any_model.hpp"
#include "evaluation.hpp"
#include "processes.hpp"
#include "provenance.hpp"
#include "task.hpp"
#include "training_options.hpp"
#include "trm/data/group_sampler.hpp"
#include "trm/io/checkpoint.hpp"

namespace program {

/// What a program trains on.
struct training_task {
  std::string program, title;
  example_data train;
  std::optional<example_data> test;  // evaluated and drawn; without it the training examples are
  scorer* score = nullptr;
  drawing draw;
  paths copies;                       // files of the dataset that an evaluation of the checkpoint needs
  std::vector<dataset_facts> splits;  // the training data as it is on disk, and the test data where there is any
};

namespace detail {

/// As asked, or as many as fill 100 batches: a small set loses little to partial batches then.
inline std::int64_t epochs_per_iteration(std::int64_t asked, const trm::dataset_metadata& meta, int batch) {
  if (asked > 0) return asked;
  const double examples = std::max(1.0, static_cast<double>(meta.total_groups) * meta.mean_puzzle_examples);
  // The sampler numbers groups * passes below 2^32.
  const double most = 4294967295.0 / std::max(1.0, static_cast<double>(meta.total_groups));
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(std::ceil(100.0 * batch / examples), most)));
}

}  // namespace detail

/// The order of the examples, of this process's part of each batch.
inline trm::sampling order_of(const training_settings& s, const training_task& task) {
  return {.seed = s.training.seed,
          .batch = s.training.batch,
          .epochs_per_iteration =
              detail::epochs_per_iteration(s.epochs_per_iteration, task.train.metadata, s.training.batch),
          .part = {.index = processes().rank(), .count = processes().size()}};
}
/// Where a checkpoint's run is in it.
inline trm::sampler_state sampler_state_of(const trm::checkpoint_folder& from) {
  const trm::json_field at = from.field("run").at("sampler");
  return {.iteration = static_cast<std::uint64_t>(at.at("iteration").integer(0)),
          .position = static_cast<std::uint64_t>(at.at("position").integer(0))};
}
/// The options with what follows from data and model. \throws trm::error, usage_error where they do not fit
inline training_settings complete_settings(training_settings s, const training_task& task, const any_model& model) {
  const trm::dataset_metadata& meta = task.train.metadata;
  detail::require_fit(task.train, model.description());
  if (task.test) detail::require_fit(*task.test, model.description());
  const long long total = s.steps > 0 ? s.steps : trm::training_steps(s.epochs, meta, s.training.batch);
  if (total < 1) throw trm::error("--steps", "nothing to do: give --steps, or more --epochs");
  if (s.start_step > 0 && s.init_from.empty()) throw usage_error("--start-step", "needs --init-from");
  if (s.stop_after > 0 && s.keep.metric.empty())
    throw usage_error("--stop-after", "needs --keep-best, the metric to stop by");
  if (!s.keep.metric.empty() && s.eval_every == 0) throw usage_error("--keep-best", "needs --eval-every");
  if (task.test == std::nullopt && s.keep.metric.starts_with("test/"))
    throw usage_error("--keep-best", "there is no test split: train/all/...");
  if (s.start_step >= total) {
    throw trm::error("--start-step", fmt::format("{} is not before the last step, {}", s.start_step, total));
  }
  s.training.schedule.total = total;
  s.training.puzzle_identifiers = static_cast<std::size_t>(meta.num_puzzle_identifiers);
  return s;
}

}  // namespace program
