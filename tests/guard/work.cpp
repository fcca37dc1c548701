// SPDX-License-Identifier: MIT
// Fixed work whose instructions are counted: guard.work <case> <repetitions> [folder]. count.cmake runs it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "trm/core/random.hpp"
#include "trm/data/batch.hpp"
#include "trm/data/dataset.hpp"
#include "trm/data/dataset_writer.hpp"
#include "trm/data/group_sampler.hpp"
#include "trm/train/solver.hpp"
#include "trm/train/trainer.hpp"

namespace {

constexpr trm::config tiny{.tokens = 15,
                           .vocab = 10,
                           .hidden = 64,
                           .heads = 4,
                           .layers = 1,
                           .h_cycles = 2,
                           .l_cycles = 2,
                           .puzzle_positions = 1,
                           .puzzle_width = 64};
using model = trm::model<tiny>;
constexpr int batch = 4, puzzles = 8;

std::vector<int> numbers(std::size_t count, int limit) {
  std::vector<int> v(count);
  const trm::draws from = trm::philox{1}.at(trm::purpose::user);
  for (std::size_t i = 0; i < count; ++i) v[i] = static_cast<int>(from.below(static_cast<std::uint64_t>(limit), i));
  return v;
}

/// Training steps of a tiny model: forward, backward, optimizer, puzzle rows, halting.
void train(int repetitions) {
  trm::cpu::context<> device(1);
  trm::trainer<model> trainer(device,
                              {.batch = batch, .max_steps = 4, .ema_rate = 0.99, .puzzle_identifiers = puzzles});
  trainer.initialise(0);
  const auto tokens = numbers(batch * model::S, model::V), identifiers = numbers(batch, puzzles);
  for (int i = 0; i < repetitions; ++i) trainer.step({tokens, tokens, identifiers});
}

/// Supervision steps without a gradient, predictions and metrics included.
void evaluate(int repetitions) {
  trm::cpu::context<> device(1);
  trm::solver<model> solver(device, batch);
  trm::weights<model> weights;
  weights.initialise(0);
  trm::puzzle_table<model::master> table(puzzles, model::W, batch);
  solver.use(weights);
  const auto tokens = numbers(batch * model::S, model::V), identifiers = numbers(batch, puzzles);
  solver.begin({tokens, tokens, identifiers}, &table);
  for (int i = 0; i < repetitions; ++i) solver.step();
}

/// Random batches of a dataset of files.
void read_dataset(int repetitions, const std::string& folder) {
  constexpr int length = 81, examples = 64, rows = 32;
  const auto tokens = numbers(examples * length, 11);
  const std::vector<std::uint8_t> bytes(tokens.begin(), tokens.end());
  trm::dataset_writer writer(folder, "train", {.ignore_label_id = 0, .vocab_size = 11, .seq_len = length});
  for (int e = 0; e < examples; ++e) {
    const auto example = std::span(bytes).subspan(static_cast<std::size_t>(e) * length, length);
    writer.add(example, example);
    writer.end_puzzle(0);
    writer.end_group();
  }
  writer.commit();
  const trm::dataset read = trm::dataset::open(folder, "train");
  trm::group_sampler<trm::dataset_set> sampler(read.sources(), length,
                                               {.seed = 1, .batch = rows, .epochs_per_iteration = 1000});
  trm::batch_memory memory(rows, length);
  sampler.next(memory.view());
  for (int i = 0; i < repetitions; ++i) sampler.next(memory.view());
}

/// The level that a name ends with: train.avx2.
void choose_level(const std::string& name) {
  for (const trm::cpu::isa level : {trm::cpu::isa::portable, trm::cpu::isa::avx2}) {
    if (name.substr(name.find('.') + 1) == trm::cpu::name(level)) return trm::cpu::use_isa(level);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: guard.work train.LEVEL|evaluate.LEVEL|read_dataset REPETITIONS FOLDER\n");
    return 2;
  }
  const std::string what = argv[1];
  const int repetitions = std::atoi(argv[2]);
  choose_level(what);
  if (what.rfind("train.", 0) == 0) {
    train(repetitions);
  } else if (what.rfind("evaluate.", 0) == 0) {
    evaluate(repetitions);
  } else if (what == "read_dataset") {
    read_dataset(repetitions, argv[3]);
  } else {
    std::fprintf(stderr, "guard.work: no such work: %s\n", argv[1]);
    return 2;
  }
} catch (const std::exception& e) {
  std::fprintf(stderr, "guard.work: %s\n", e.what());
  return 1;
}
