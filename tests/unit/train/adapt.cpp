// SPDX-License-Identifier: MIT
#include "trm/train/adapt.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "support/throws.hpp"
#include "trm/core/random.hpp"
#include "trm/train/solver.hpp"

namespace {

// A family of tasks: recolour eight cells by a function from four colours to four, which a task does not say but show.
constexpr int colours = 4, functions = 256, cells = 8;
constexpr trm::config described{.tokens = cells,
                                .vocab = colours,
                                .hidden = 32,
                                .heads = 2,
                                .layers = 1,
                                .h_cycles = 1,
                                .l_cycles = 1,
                                .expansion = 2,
                                .width_multiple = 32,
                                .puzzle_positions = 1,
                                .puzzle_width = 32};
using model = trm::model<described>;
constexpr int known = 200, unseen = 16, max_steps = 2;  // functions that are trained on, and others

int recoloured(int function, int colour) {
  for (; colour > 0; --colour) function /= colours;
  return function % colours;
}
/// All functions in a drawn order.
std::vector<int> drawn_order() {
  const trm::draws draw = trm::philox{7}.at(trm::purpose::user);
  std::vector<int> order(functions);
  for (int i = 0; i < functions; ++i) {
    order[static_cast<std::size_t>(i)] = i;
    std::swap(order[static_cast<std::size_t>(i)],
              order[draw.below(static_cast<std::uint64_t>(i) + 1, static_cast<std::uint64_t>(i))]);
  }
  return order;
}
/// Examples of tasks first, first + 1, ..., first + count - 1, in turn; identifiers from 0.
struct examples {
  std::vector<int> inputs, labels, identifiers;

  examples(const std::vector<int>& order, int first, int count, int samples, std::uint64_t seed, bool in_turn) {
    const trm::draws draw = trm::philox{8}.at(trm::purpose::user, seed);
    for (int i = 0; i < samples; ++i) {
      const auto drawn = draw.below(static_cast<std::uint64_t>(count), static_cast<std::uint64_t>(1000000 + i));
      identifiers.push_back(in_turn ? i % count : static_cast<int>(drawn));
      const int function = order[static_cast<std::size_t>(first + identifiers.back())];
      for (int c = 0; c < cells; ++c) {
        inputs.push_back(static_cast<int>(draw.below(colours, static_cast<std::uint64_t>(i * cells + c))));
        labels.push_back(recoloured(function, inputs.back()));
      }
    }
  }
  trm::batch view() const { return {inputs, labels, identifiers}; }
};
/// Tasks all of whose examples are answered right.
int solved(trm::solver<model>& solver, const trm::puzzle_rows<float>& rows, const examples& asked, int tasks) {
  solver.begin(asked.view(), rows);
  for (int i = 0; i < max_steps; ++i) solver.step();
  std::vector<int> right(static_cast<std::size_t>(tasks), 1);
  for (std::size_t i = 0; i < asked.labels.size(); ++i) {
    if (solver.samples().predictions[i] != asked.labels[i])
      right[static_cast<std::size_t>(asked.identifiers[i / cells])] = 0;
  }
  return static_cast<int>(std::count(right.begin(), right.end(), 1));
}

}  // namespace

TEST_CASE("unseen tasks are solved by tuning their rows alone on four demonstrations each") {
  trm::cpu::context<> device(1);
  const std::vector<int> order = drawn_order();
  trm::trainer<model> trained(device, {.batch = 32,
                                       .max_steps = max_steps,
                                       .optimizer = {.learning_rate = 2e-3},
                                       .schedule = {.warmup = 50, .total = 1000, .min_ratio = 0.1},
                                       .puzzle_identifiers = known,
                                       .undoable = false});
  trained.weights().initialise(0);
  trained.weights_changed();
  for (std::uint64_t step = 1; step <= 1000; ++step) {
    trained.step(examples(order, 0, known, 32, step, false).view());
  }

  const examples demonstrations(order, known, unseen, 4 * unseen, 1000001, true);
  const examples asked(order, known, unseen, 8 * unseen, 1000002, true);
  trm::trainer<model> tuned(device, {.batch = 4 * unseen,
                                     .max_steps = max_steps,
                                     .puzzle_identifiers = unseen,
                                     .freeze_weights = true,
                                     .undoable = false});
  const std::vector<trm::new_row> rows(unseen, trm::new_row::mean());
  trm::begin_adaptation(tuned, trained.weights(), trained.table(), rows);
  trm::solver<model> solver(device, 8 * unseen);
  solver.use(trained.weights());
  const int before = solved(solver, tuned.table(), asked, unseen);
  for (int i = 0; i < 150; ++i) tuned.step(demonstrations.view());
  const int after = solved(solver, tuned.table(), asked, unseen);
  MESSAGE("tasks solved of ", unseen, ": ", before, " with the mean row, ", after, " with their own");
  CHECK(before == 0);
  CHECK(after >= 14);
  CHECK(std::equal(trained.weights().parameters(), trained.weights().parameters() + model::extent,
                   tuned.weights().parameters()));
}

TEST_CASE("an adaptation begins with the rows that were asked for") {
  trm::cpu::context<> device(1);
  trm::weights<model> w;
  w.initialise(1);
  trm::puzzle_table<float> table(3, model::W, 1);
  for (std::size_t i = 0; i < 3 * model::W; ++i) table.data()[i] = static_cast<float>(i);
  trm::trainer<model> t(device, {.batch = 2, .puzzle_identifiers = 3});
  const std::array<trm::new_row, 3> wanted{trm::new_row::copy_of(2), trm::new_row::zero(), trm::new_row::mean()};
  trm::begin_adaptation(t, w, table, wanted);
  CHECK(std::equal(t.table().data(), t.table().data() + model::W, table.data() + 2 * model::W));
  CHECK(std::all_of(t.table().data() + model::W, t.table().data() + 2 * model::W, [](float v) { return v == 0; }));
  CHECK(std::equal(t.table().data() + 2 * model::W, t.table().data() + 3 * model::W, table.data() + model::W));
  CHECK(std::equal(w.parameters(), w.parameters() + model::extent, t.weights().parameters()));
  CHECK(std::equal(w.constants(), w.constants() + model::constant_extent, t.weights().constants()));
  trm_test::check_error([&] { trm::begin_adaptation(t, w, table, std::span(wanted).first(2)); },
                        "adaptation: the trainer has 3 puzzle rows, 2 wanted");
  const trm::puzzle_table<float> narrow(3, model::W - 1, 1);
  trm_test::check_error([&] { trm::begin_adaptation(t, w, narrow, wanted); },
                        "puzzle table: its rows have 31 numbers, the model's 32");
}
