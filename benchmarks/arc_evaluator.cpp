// SPDX-License-Identifier: MIT
// Predictions voted per second, and the evaluation of all of them.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/random.hpp"
#include "trm/data/arc/evaluator.hpp"

namespace {

using namespace trm::arc;

constexpr int side = 30, tasks = 100, puzzles_per_task = 100;
constexpr std::size_t tokens = side * side;

/// Whole numbers below `limit`, by a counter.
struct draws {
  trm::philox random{1};
  std::uint64_t count = 0;
  int below(int limit) {
    return static_cast<int>(random.at(trm::purpose::user, 0).below(static_cast<std::uint64_t>(limit), count++));
  }
  grid cells(int rows, int columns) {
    grid g(rows, columns);
    for (std::uint8_t& c : g.cells()) c = static_cast<std::uint8_t>(below(colour_count));
    return g;
  }
};

/// Tasks of one test input of 15 x 15 cells, each in 100 augmentations; every answer is one of `distinct` of its task.
struct predictions {
  std::vector<task> held_out;
  std::vector<std::string> identifiers{"<blank>"};
  std::vector<std::uint8_t> inputs;
  std::vector<int> answers;

  explicit predictions(int distinct) {
    draws draw;
    for (int t = 0; t < tasks; ++t) {
      const example shown{draw.cells(3, 3), draw.cells(3, 3)}, asked{draw.cells(15, 15), draw.cells(15, 15)};
      const std::string id = "task" + std::to_string(t);
      held_out.push_back({id, {shown}, {asked}, false});
      std::vector<grid> possible{*asked.output};
      while (possible.size() < static_cast<std::size_t>(distinct)) possible.push_back(draw.cells(15, 15));
      for (int p = 0; p < puzzles_per_task; ++p) {
        augmentation how{.transform = p % dihedral_transforms, .colours = same_colours};
        for (std::size_t c = 9; c > 1; --c) {
          std::swap(how.colours[c], how.colours[1 + static_cast<std::size_t>(draw.below(static_cast<int>(c)))]);
        }
        identifiers.push_back(compose_name(id, how));
        inputs.resize(inputs.size() + tokens);
        answers.resize(answers.size() + tokens);
        encode<std::uint8_t>(how.apply(asked.input), side, 0, 0, std::span(inputs).last(tokens));
        encode<int>(how.apply(possible[static_cast<std::size_t>(draw.below(distinct))]), side, 0, 0,
                    std::span(answers).last(tokens));
      }
    }
  }
  std::size_t size() const { return identifiers.size() - 1; }
  void vote(evaluator& votes) const {
    for (std::size_t i = 0; i < size(); ++i) {
      votes.add(static_cast<std::int64_t>(i + 1), std::span(inputs).subspan(i * tokens, tokens),
                std::span(answers).subspan(i * tokens, tokens), static_cast<double>(i % 7) - 3);
    }
  }
};

/// Votes per second on one thread; the argument is the number of distinct answers to a test input.
void vote(benchmark::State& state) {
  const predictions all(static_cast<int>(state.range(0)));
  evaluator votes(all.held_out, all.identifiers);
  for (auto _ : state) {
    state.PauseTiming();
    votes.clear();
    state.ResumeTiming();
    all.vote(votes);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(all.size()));
  state.SetLabel("predictions");
}

/// pass@k of 10,000 predictions.
void result(benchmark::State& state) {
  const predictions all(static_cast<int>(state.range(0)));
  evaluator votes(all.held_out, all.identifiers);
  all.vote(votes);
  for (auto _ : state) benchmark::DoNotOptimize(votes.result());
}

BENCHMARK(vote)->Name("data/arc/vote/distinct")->Arg(1)->Arg(100)->Unit(benchmark::kMillisecond);
BENCHMARK(result)->Name("data/arc/result/distinct")->Arg(1)->Arg(100)->Unit(benchmark::kMillisecond);

}  // namespace
