// SPDX-License-Identifier: MIT
// Learns to sort digits, in as many processes as mpirun starts. docs/parallel.md shows it.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "trm/train/mpi_communicator.hpp"
#include "trm/train/trainer.hpp"

constexpr trm::config sorting{.tokens = 8, .vocab = 10, .hidden = 64, .heads = 4, .h_cycles = 2, .l_cycles = 2};
using model = trm::model<sorting, float>;

int main() {
  trm::mpi::communicator processes;
  trm::cpu::context<> cpu(1);
  trm::trainer<model, trm::adam_atan2, trm::cpu::context<>, trm::mpi::communicator> trainer(
      cpu, {.batch = 24, .max_steps = 4, .optimizer = {.learning_rate = 2e-3}, .schedule = {.warmup = 100}}, processes);
  trainer.initialise(0);

  // Of every batch this process has the samples first, first + 1, ...
  const int local = trainer.local_batch(), first = processes.rank() * local;
  std::vector<int> digits(static_cast<std::size_t>(local) * 8), sorted;
  for (std::uint64_t step = 1; step <= 600; ++step) {
    const trm::draws from = trm::philox{1}.at(trm::purpose::user, step);
    for (std::size_t i = 0; i < digits.size(); ++i) {
      digits[i] = static_cast<int>(from.below(10, static_cast<std::size_t>(first) * 8 + i));
    }
    sorted = digits;
    for (auto row = sorted.begin(); row != sorted.end(); row += 8) std::sort(row, row + 8);
    const trm::step_report report = trainer.step({digits, sorted, {}});  // of the whole batch
    if (step % 200 == 0 && processes.rank() == 0) {
      std::printf("step %d: loss %.4f\n", static_cast<int>(step), report.metrics.lm_loss / 24);
    }
  }
}
