// SPDX-License-Identifier: MIT
// ARC data: how long a build takes, and how many random batches a second come from either form. TRM_DATA_DIR names the folder
// with the tasks; TRM_ARC_FILES and TRM_ARC_VIRTUAL datasets that are there already, for example of full size.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "measure.hpp"
#include "trm/data/arc/builder.hpp"
#include "trm/data/arc/verify.hpp"
#include "trm/data/batch.hpp"
#include "trm/data/dataset.hpp"
#include "trm/data/group_sampler.hpp"
#include "trm/io/file.hpp"

namespace {

/// Evaluation tasks of ARC-AGI-2 with a few augmentations; in a folder of this process's own, removed at the end.
class small_datasets {
 public:
  static const small_datasets& get() {
    static const small_datasets all;
    return all;
  }
  small_datasets(const small_datasets&) = delete;
  small_datasets& operator=(const small_datasets&) = delete;
  ~small_datasets() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  const std::filesystem::path& folder() const { return folder_; }
  trm::arc::build_options options(const std::string& name, bool virtual_form) const {
    trm::arc::build_options o;
    o.source = std::string(std::getenv("TRM_DATA_DIR")) + "/arc/arc-agi";
    o.subsets = {"concept", "evaluation2"};
    o.test_set = "evaluation2";
    o.augmentations = 30;
    o.virtual_form = virtual_form;
    o.output = folder_ / name;
    return o;
  }

 private:
  small_datasets() : folder_(std::filesystem::temp_directory_path() / ("trm-benchmark-" + std::to_string(::getpid()))) {
    for (const bool virtual_form : {false, true}) build(options(virtual_form ? "virtual" : "files", virtual_form));
  }
  std::filesystem::path folder_;
};

bool has_sources(benchmark::State& state) {
  if (std::getenv("TRM_DATA_DIR") != nullptr) return true;
  state.SkipWithError("TRM_DATA_DIR is not set");
  return false;
}

/// A dataset of full size where the environment names one, otherwise the small one.
std::filesystem::path data(bool virtual_form) {
  const char* full = std::getenv(virtual_form ? "TRM_ARC_VIRTUAL" : "TRM_ARC_FILES");
  return full != nullptr ? std::filesystem::path(full)
                         : small_datasets::get().folder() / (virtual_form ? "virtual" : "files");
}

void build_dataset(benchmark::State& state, bool virtual_form) {
  if (!has_sources(state)) return;
  const small_datasets& all = small_datasets::get();
  std::size_t rows = 0;
  for (auto _ : state) {
    const auto options = all.options("built", virtual_form);
    for (const auto& split : build(options).splits) rows += split.examples;
    state.PauseTiming();
    std::filesystem::remove_all(options.output);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
  state.SetLabel("rows");
}

/// Random batches of 256 as a training run asks for them. `dropped`: the files are not in the page cache at the beginning; the
/// kernel is asked to forget them, which it does for pages that nobody maps.
void random_batches(benchmark::State& state, bool virtual_form, bool dropped) {
  if (!virtual_form && std::getenv("TRM_ARC_FILES") == nullptr && !has_sources(state)) return;
  if (virtual_form && std::getenv("TRM_ARC_VIRTUAL") == nullptr && !has_sources(state)) return;
  constexpr std::int32_t batch = 256;
  const auto path = data(virtual_form);
  if (dropped) {
    for (const auto& entry : std::filesystem::directory_iterator(path / "train")) {
      const trm::detail::descriptor file = trm::detail::open_to_read(entry.path());
      ::fsync(file.get());
      ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    }
  }
  const trm::dataset d = trm::dataset::open(path, "train");
  trm::group_sampler<trm::dataset_set> sampler(d.sources(), d.metadata().seq_len,
                                               {.seed = 1, .batch = batch, .epochs_per_iteration = 10});
  trm::batch_memory memory(batch, d.metadata().seq_len);
  trm_benchmark::stopwatch watch(1);
  for (auto _ : state) {
    watch.time([&] { sampler.next(memory.view()); });
    benchmark::DoNotOptimize(memory.view().inputs.data());
  }
  // Inputs and labels of one byte a token are read, and written as int.
  const double tokens = 2.0 * batch * d.metadata().seq_len;
  if (!dropped) trm_benchmark::report(state, {0, tokens, 4 * tokens}, watch.best(), 1);
  state.SetItemsProcessed(state.iterations() * batch);
  state.SetLabel("rows");
}

void open_dataset(benchmark::State& state, bool virtual_form) {
  if (!has_sources(state)) return;
  const auto path = data(virtual_form);
  for (auto _ : state) benchmark::DoNotOptimize(trm::dataset::open(path, "train").sources()[0].rows());
}

void verify_dataset(benchmark::State& state, bool virtual_form) {
  if (!has_sources(state)) return;
  const auto path = small_datasets::get().folder() / (virtual_form ? "virtual" : "files");
  for (auto _ : state) benchmark::DoNotOptimize(trm::arc::verify(path).identifiers);
}

const bool registered = [] {
  const auto add = [](const std::string& name, auto f) {
    return benchmark::RegisterBenchmark(("data/arc/" + name).c_str(), f)->Unit(benchmark::kMicrosecond);
  };
  for (const bool virtual_form : {false, true}) {
    const std::string form = virtual_form ? "/virtual" : "/files";
    const auto batches = [=](bool dropped) {
      return [=](benchmark::State& state) { random_batches(state, virtual_form, dropped); };
    };
    add("build" + form, [=](benchmark::State& state) { build_dataset(state, virtual_form); })->UseRealTime();
    add("open" + form, [=](benchmark::State& state) { open_dataset(state, virtual_form); });
    add("verify" + form, [=](benchmark::State& state) { verify_dataset(state, virtual_form); });
    add("random_batches" + form, batches(false));
    add("random_batches" + form + "/dropped_from_cache", batches(true))->UseRealTime()->Iterations(200);
  }
  return true;
}();

}  // namespace
