// SPDX-License-Identifier: MIT
// Mazes as hard as Maze-Hard: generated, solved, judged, read from a table.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "trm/data/maze/csv.hpp"
#include "trm/data/maze/generator.hpp"
#include "trm/data/maze/maze_set.hpp"
#include "trm/data/maze/solver.hpp"

namespace {

using namespace trm::maze;

void count_mazes(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations());
  state.SetLabel("mazes");
}

/// A different maze each time: the number of fields that are rejected varies much.
void generate(benchmark::State& state) {
  generator mazes({.seed = 1});
  std::uint64_t number = 0;
  for (auto _ : state) benchmark::DoNotOptimize(mazes.make(number++));
  count_mazes(state);
}
BENCHMARK(generate)->Name("data/maze/generate/30x30")->Iterations(500)->Unit(benchmark::kMillisecond);

void find_path(benchmark::State& state) {
  const puzzle made = generator({.seed = 1}).make(0);
  for (auto _ : state) benchmark::DoNotOptimize(solve(made.question));
  count_mazes(state);
}
BENCHMARK(find_path)->Name("data/maze/solve/30x30")->Unit(benchmark::kMicrosecond);

void judge(benchmark::State& state) {
  const puzzle made = generator({.seed = 1}).make(0);
  for (auto _ : state) benchmark::DoNotOptimize(check_answer(made.question, made.answer, made.answer));
  count_mazes(state);
}
BENCHMARK(judge)->Name("data/maze/check_answer/30x30")->Unit(benchmark::kMicrosecond);

void read_table(benchmark::State& state) {
  const puzzle made = generator({.seed = 1}).make(0);
  std::string text = "source,q,a,rating\n";
  for (int i = 0; i < 1000; ++i) text += "x," + to_line(made.question) + "," + to_line(made.answer) + ",111\n";
  for (auto _ : state) {
    csv_rows table(text, "table");
    while (table.next()) benchmark::DoNotOptimize(table.row());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(read_table)->Name("data/maze/read_csv/1000")->Unit(benchmark::kMillisecond);

/// A row of the training set, under a symmetry.
void read_row(benchmark::State& state) {
  const puzzle made = generator({.seed = 1}).make(0);
  maze_set set(true);
  set.add(made.question, made.answer);
  std::vector<std::int32_t> inputs(900), labels(900);
  std::int64_t row = 0;
  for (auto _ : state) {
    set.read(row++ % set.rows(), inputs.data(), labels.data());
    benchmark::ClobberMemory();
  }
  count_mazes(state);
}
BENCHMARK(read_row)->Name("data/maze/read_row/30x30")->Unit(benchmark::kMicrosecond);

}  // namespace
