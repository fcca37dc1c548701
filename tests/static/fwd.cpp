// SPDX-License-Identifier: MIT
// fwd.hpp before the definitions: the same kinds, parameters and defaults, else this does not compile.
#include "trm/fwd.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <type_traits>

namespace {

// What a header of a user's may hold while nothing is defined yet.
struct sorting;
using solver_by_name = trm::solver<sorting>;
using trainer_by_name = trm::trainer<sorting>;
using context_by_name = trm::cpu::context<>;
struct holder {
  holder();
  ~holder();
  std::unique_ptr<trm::cpu::context<>> device;
  std::unique_ptr<trm::solver<sorting>> solver;
};

}  // namespace

#include "trm/backend/cpu/thread_pool.hpp"
#include "trm/core/buffer.hpp"
#include "trm/core/random.hpp"
#include "trm/data/dataset.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/csv.hpp"
#include "trm/io/npy.hpp"
#include "trm/io/safetensors.hpp"
#include "trm/train/solver.hpp"
#include "trm/train/trainer.hpp"

namespace {

constexpr trm::config configuration{
    .tokens = 4, .vocab = 6, .hidden = 8, .heads = 2, .layers = 1, .h_cycles = 1, .l_cycles = 1};
struct sorting : trm::model<configuration> {};

static_assert(std::is_same_v<solver_by_name, trm::solver<sorting, trm::cpu::context<trm::cpu::builtin_product>>>);
static_assert(std::is_same_v<trainer_by_name, trm::trainer<sorting, trm::adam_atan2, trm::cpu::context<>>>);
static_assert(std::is_same_v<context_by_name::provider, trm::cpu::builtin_product>);

// Every other name of fwd.hpp, whatever the header it is defined in. Complete, or sizeof is an error.
template <class... T>
constexpr bool complete = ((sizeof(T) > 0) && ...);
static_assert(
    complete<trm::buffer, trm::error, trm::config, trm::philox, trm::shape, trm::call<trm::cpu::context<>>,
             trm::cpu::thread_pool, trm::adam_atan2, trm::adamw, trm::learning_rate_schedule, trm::optimizer_options,
             trm::puzzle_table<float>, trm::batch, trm::samples, trm::step_metrics, trm::step_report,
             trm::training_options, trm::weights<sorting>, trm::atomic_file, trm::csv_reader, trm::csv_writer,
             trm::dataset, trm::mapped_file, trm::npy_file, trm::npy_writer, trm::safetensors_file>);

holder::holder()
    : device(std::make_unique<trm::cpu::context<>>(1)), solver(std::make_unique<solver_by_name>(*device, 1)) {}
holder::~holder() = default;

}  // namespace

TEST_CASE("a solver that a header only named computes") {
  holder h;
  trm::weights<sorting> weights;
  weights.initialise(0);
  h.solver->use(weights);
  const std::vector<int> tokens{1, 2, 3, 4};
  h.solver->begin({tokens, {}, {}});
  h.solver->step();
  CHECK(h.solver->samples().predictions.size() == tokens.size());
}
