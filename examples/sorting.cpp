// SPDX-License-Identifier: MIT
// Learns to sort eight digits, then sorts some it has not seen. The README shows it.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "trm/train/solver.hpp"
#include "trm/train/trainer.hpp"

constexpr trm::config sorting{.tokens = 8, .vocab = 10, .hidden = 64, .heads = 4, .h_cycles = 2, .l_cycles = 2};
using model = trm::model<sorting, float>;  // shapes, names, memory, forward and backward are now known to the compiler
static_assert(trm::plan<model>(32).total() < 32 << 20);  // bytes to train it with 32 samples a step

int main() {
  trm::cpu::context<> cpu;
  trm::trainer<model> trainer(cpu, {.batch = 32, .max_steps = 4, .optimizer = {.learning_rate = 2e-3},
                                    .schedule = {.warmup = 100, .total = 1000, .min_ratio = 0.1}, .ema_rate = 0.98});
  trainer.initialise(0);
  std::vector<int> digits(32 * 8), sorted;
  for (std::uint64_t step = 1; step <= 1000; ++step) {
    for (std::size_t i = 0; i < digits.size(); ++i) digits[i] = static_cast<int>(trm::philox{1}.at(trm::purpose::user, step).below(10, i));
    sorted = digits;
    for (auto row = sorted.begin(); row != sorted.end(); row += 8) std::sort(row, row + 8);
    const trm::step_report report = trainer.step({digits, sorted, {}});  // one supervision step, one update
    if (step % 200 == 0) std::printf("step %llu: loss %.3f\n", static_cast<unsigned long long>(step), report.metrics.lm_loss / 32);
  }
  trm::solver<model> solver(cpu, 1);
  solver.use(trainer.ema(), trainer.weights().constants());
  const std::vector<int> unseen{3, 1, 4, 1, 5, 9, 2, 6};
  solver.begin({unseen, {}, {}});
  for (int i = 0; i < 4; ++i) solver.step();
  for (const int digit : solver.samples().predictions) std::printf("%d ", digit);
  std::printf("\n");
  return solver.samples().predictions == std::vector<int>{1, 1, 2, 3, 4, 5, 6, 9} ? 0 : 1;
}
