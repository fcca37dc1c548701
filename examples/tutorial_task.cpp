// SPDX-License-Identifier: MIT
// A task of one's own from data to drawn answers: springs flood a ditch up to its walls. docs/tutorial_task.md
// explains it.   tutorial-task [FOLDER]        (ditches, by default)
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "trm/data/dataset.hpp"
#include "trm/data/dataset_writer.hpp"
#include "trm/data/group_sampler.hpp"
#include "trm/io/checkpoint.hpp"
#include "trm/train/evaluate.hpp"
#include "trm/train/solver.hpp"
#include "trm/train/trainer.hpp"

namespace {

constexpr int cells = 16;
enum token : int { pad, wall, ground, spring, water, vocab };

/// Ditch `number` of the data that belong to `seed`, dry and flooded: a spring floods the ground on both sides up to the next wall.
struct ditch {
  std::vector<int> dry = std::vector<int>(cells), wet;

  ditch(std::uint64_t seed, std::uint64_t number) {
    const trm::draws draw = trm::philox{seed}.at(trm::purpose::user, number);
    for (std::size_t i = 0; i < cells; ++i) {
      const float u = draw.uniform(i);
      dry[i] = u < 0.2f ? wall : u < 0.3f ? spring : ground;
    }
    wet = dry;
    flood(wet.begin(), wet.end());
    flood(wet.rbegin(), wet.rend());
  }
  template <class I>
  static void flood(I at, I end) {
    for (bool flowing = false; at != end; ++at) {
      if (*at == ground && flowing) *at = water;
      flowing = *at == spring || *at == water;
    }
  }
};

void write_split(const std::filesystem::path& folder, const std::string& split, std::uint64_t seed, int ditches) {
  trm::dataset_writer out(folder, split, {.pad_id = pad, .vocab_size = vocab, .seq_len = cells});
  for (int i = 0; i < ditches; ++i) {
    const ditch d(seed, static_cast<std::uint64_t>(i));
    out.add(d.dry, d.wet);
    out.end_puzzle(0);  // one example a puzzle, one puzzle a group; no puzzle has an identifier of its own
    out.end_group();
  }
  out.commit();
}

constexpr trm::config flooding{.tokens = cells,
                               .vocab = vocab,
                               .hidden = 64,
                               .heads = 4,
                               .layers = 1,
                               .h_cycles = 2,
                               .l_cycles = 2,
                               .width_multiple = 32};
using model = trm::model<flooding, float>;
static_assert(trm::plan<model>(32).total() < 16 << 20);  // bytes to train it with 32 samples a step

const trm::training_options options{.batch = 32,
                                    .max_steps = 4,
                                    .exploration = 0.5,
                                    .optimizer = {.learning_rate = 2e-3},
                                    .schedule = {.warmup = 50, .total = 1400, .min_ratio = 0.05},
                                    .ema_rate = 0.98};

std::filesystem::path checkpoint(const std::filesystem::path& folder, long long step) {
  return folder / ("step_" + std::to_string(step));
}

/// Trains to step `last`, from the beginning or from the checkpoint of step `first`.
void train(const std::filesystem::path& folder, long long first, long long last) {
  const trm::dataset data = trm::dataset::open(folder, "train");
  trm::group_sampler sampler(data.sources(), model::S, {.seed = 0, .batch = options.batch});
  trm::cpu::context<> cpu;
  trm::trainer<model> trainer(cpu, options);
  if (first == 0) {
    trainer.initialise(0);
  } else {
    const auto saved = trm::checkpoint_folder::open(checkpoint(folder, first), trm::checkpoint_folder::verify::hashes);
    trm::read_checkpoint(saved, trainer);
    sampler.restore({static_cast<std::uint64_t>(saved.field("iteration").integer(0)),
                     static_cast<std::uint64_t>(saved.field("position").integer(0))});
  }
  trm::batch_memory memory(options.batch, model::S);
  const trm::batch_view offered = memory.view();
  trm::step_metrics sum;
  for (long long step = first + 1; step <= last; ++step) {
    sampler.next(offered);
    sum += trainer.step({offered.inputs, offered.labels, {}}).metrics;
    if (step % 100 != 0) continue;
    std::printf("step %lld: loss %.3f, %.1f %% of the ditches right, after %.1f steps\n", step,
                sum.lm_loss / (100 * options.batch), 100 * sum.mean_exact_accuracy(), sum.mean_steps());
    sum = {};
  }
  trm::write_checkpoint(checkpoint(folder, last), trainer, {},
                        {{"iteration", sampler.state().iteration}, {"position", sampler.state().position}});
}

/// The share of ditches that are right in every cell.
double evaluate(const trm::dataset& data, const trm::weights<model>& weights) {
  trm::cpu::context<> cpu;
  trm::solver<model> solver(cpu, 100);
  solver.use(weights);
  const auto metrics = trm::evaluate(solver, {}, data.sources(), data.metadata(), options.max_steps);
  return metrics[0].mean_exact_accuracy();
}

std::string drawn(const std::vector<int>& tokens) {
  std::string text;
  for (const int t : tokens) text += " #.O~"[t];
  return text;
}

bool solve(const ditch& d, const trm::weights<model>& weights) {
  trm::cpu::context<> cpu(1);
  trm::solver<model> solver(cpu, 1);
  solver.use(weights);
  solver.begin({d.dry, {}, {}});
  std::printf("        %s\n", drawn(d.dry).c_str());
  for (int step = 1; step <= options.max_steps; ++step) {
    solver.step();
    const double confidence = 1 / (1 + std::exp(-solver.samples().halting[0].q_halt));
    std::printf("step %d: %s  %.1f %% sure\n", step, drawn(solver.samples().predictions).c_str(), 100 * confidence);
    if (confidence > 0.9) break;
  }
  return solver.samples().predictions == d.wet;
}

void run(const std::filesystem::path& folder) {
  for (const int step : {700, 1400})
    std::filesystem::remove_all(checkpoint(folder, step));  // no checkpoint is written over
  write_split(folder, "train", 1, 4000);
  write_split(folder, "test", 2, 500);
  train(folder, 0, 700);
  train(folder, 700, 1400);  // as if it had never stopped

  trm::weights<model> weights;
  trm::read_weights(trm::safetensors_file::open(checkpoint(folder, 1400) / "weights.safetensors"), weights);
  const double right = evaluate(trm::dataset::open(folder, "test"), weights);
  std::printf("unseen ditches right in every cell: %.1f %%\n", 100 * right);
  std::printf("%s\n", solve(ditch(2, 0), weights) ? "right" : "wrong");
  if (right < 0.9) throw trm::error("tutorial", "has learned too little");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? argv[1] : "ditches");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tutorial-task: %s\n", e.what());
    return 1;
  }
}
