// SPDX-License-Identifier: MIT
// A puzzle that a trained model does not know gets a row of its own, which alone is trained. docs/checkpoints.md shows it.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "trm/io/puzzle_rows.hpp"
#include "trm/io/weights.hpp"
#include "trm/optim/new_row.hpp"
#include "trm/train/adapt.hpp"
#include "trm/train/solver.hpp"

// Puzzle k: every digit d becomes d + k, modulo 10.
constexpr trm::config shifting{.tokens = 4,
                               .vocab = 10,
                               .hidden = 64,
                               .heads = 4,
                               .h_cycles = 2,
                               .l_cycles = 2,
                               .puzzle_positions = 1,
                               .puzzle_width = 64};
using model = trm::model<shifting, float>;

namespace {

constexpr int B = 32, known = 9;

/// Examples of puzzles: shift[i] is what sample i does, identifier[i] its row.
struct examples {
  std::vector<int> inputs = std::vector<int>(B * model::S), labels = inputs, identifiers = std::vector<int>(B);
  trm::batch view() const { return {inputs, labels, identifiers}; }

  template <class Shift, class Row>
  void draw(std::uint64_t step, Shift shift, Row row) {
    const trm::draws from = trm::philox{1}.at(trm::purpose::user, step);
    for (std::uint64_t i = 0; i < B * model::S; ++i) {
      const int sample = static_cast<int>(i) / model::S, digit = static_cast<int>(from.below(10, i));
      inputs[i] = digit;
      labels[i] = (digit + shift(sample)) % 10;
      identifiers[static_cast<std::size_t>(sample)] = row(sample);
    }
  }
};

}  // namespace

int main() {
  // A model that knows the puzzles 0 to 8, and its table in a file of its own.
  trm::cpu::context<> cpu;
  trm::trainer<model> learner(cpu, {.batch = B,
                                    .max_steps = 4,
                                    .optimizer = {.learning_rate = 2e-3},
                                    .schedule = {.warmup = 100},
                                    .puzzle_identifiers = known});
  learner.weights().initialise(0);
  learner.weights_changed();
  examples all;
  for (std::uint64_t step = 1; step <= 600; ++step) {
    const auto puzzle = [&](int i) { return (i + static_cast<int>(step)) % known; };
    all.draw(step, puzzle, puzzle);
    learner.step(all.view());
  }
  const auto& weights = learner.weights();
  trm::write_puzzle_table<model>("puzzle_table.safetensors", learner.table());

  const auto file = trm::safetensors_file::open("puzzle_table.safetensors");  // mapped, not read
  const std::string name = model::puzzle_table_name;
  const auto rows = trm::stored_puzzle_rows<float>(file.view(name), model::W, file.place(name));

  trm::solver<model> solver(cpu, B);
  solver.use(weights);
  trm::puzzle_overlay<float> more(rows);
  const int id = more.add(trm::new_row::mean());  // behind the others
  const auto right = [&](const trm::puzzle_rows<float>& table, int row) {
    all.draw(
        10000, [](int) { return 9; }, [&](int) { return row; });
    solver.begin(all.view(), table);
    for (int i = 0; i < 4; ++i) solver.step();
    return solver.metrics().accuracy / B;
  };
  std::printf("puzzle 9 with a row that begins as the mean: %.0f %% of the digits\n", 100 * right(more.view(), id));

  // The new row alone is trained, on examples of puzzle 9. Rows of other puzzles stay in the file.
  const std::vector<trm::new_row> wanted(1, trm::new_row::mean());
  trm::trainer<model> t(cpu, {.batch = B, .max_steps = 4, .puzzle_identifiers = wanted.size(), .freeze_weights = true});
  trm::begin_adaptation(t, weights, rows, wanted);  // identifiers from 0

  for (std::uint64_t step = 1; step <= 300; ++step) {
    all.draw(
        20000 + step, [](int) { return 9; }, [](int) { return 0; });
    t.step(all.view());
  }
  std::printf("after 300 steps of this row: %.0f %%\n", 100 * right(t.table().view(), 0));
  std::filesystem::remove("puzzle_table.safetensors");
}
