// SPDX-License-Identifier: MIT
// 9 x 9 Sudokus of several difficulties: generated, solved, rated; a sampler over a million augmentations.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trm/data/group_sampler.hpp"
#include "trm/data/sudoku/generator.hpp"
#include "trm/data/sudoku/puzzle_source.hpp"
#include "trm/data/sudoku/solver.hpp"

namespace {

using namespace trm::sudoku;

/// Minimal puzzles with at least this rating, a different one each time: the work varies much.
void generate(benchmark::State& state) {
  const generator make({.seed = 1, .min_rating = static_cast<std::uint64_t>(state.range(0))});
  std::uint64_t number = 0;
  double ratings = 0, given = 0;
  for (auto _ : state) {
    const puzzle made = make(number++);
    ratings += static_cast<double>(made.rating);
    given += clues(made.question);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(number));
  state.SetLabel("puzzles");
  state.counters["rating"] = ratings / static_cast<double>(number);
  state.counters["clues"] = given / static_cast<double>(number);
}
BENCHMARK(generate)
    ->Name("data/sudoku/generate/min_rating")
    ->Arg(0)
    ->Arg(1)
    ->Arg(5)
    ->Arg(10)
    ->Arg(20)
    ->Unit(benchmark::kMillisecond);

/// 200 puzzles made with these options, in turn.
void rate(benchmark::State& state, const generator_options& options) {
  const generator make(options);
  std::vector<board> puzzles;
  for (std::uint64_t i = 0; i < 200; ++i) puzzles.push_back(make(i).question);
  std::size_t number = 0;
  for (auto _ : state) benchmark::DoNotOptimize(rating(puzzles[number++ % puzzles.size()]));
  state.SetItemsProcessed(static_cast<std::int64_t>(number));
  state.SetLabel("puzzles");
}
BENCHMARK_CAPTURE(rate, no_guess, {.seed = 2, .max_rating = 0})
    ->Name("data/sudoku/rating/no_guess")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(rate, minimal, {.seed = 2})->Name("data/sudoku/rating/minimal")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(rate, hard, {.seed = 2, .min_rating = 10})
    ->Name("data/sudoku/rating/hard")
    ->Unit(benchmark::kMicrosecond);

/// A sampler is made of 1000 puzzles with a million augmentations each.
void make_sampler(benchmark::State& state) {
  const puzzle made = generator({.seed = 3})(0);
  std::vector<puzzle_source> sources(1, puzzle_source(9, 1000000, 1));
  for (int i = 0; i < 1000; ++i) sources[0].add(made.question, made.solution);
  for (auto _ : state) {
    trm::group_sampler<puzzle_source> sampler(sources, 81, {.seed = 1, .batch = 100});
    benchmark::DoNotOptimize(sampler);
  }
}
BENCHMARK(make_sampler)->Name("data/sudoku/sampler/1000x1000001")->Unit(benchmark::kMicrosecond);

}  // namespace
