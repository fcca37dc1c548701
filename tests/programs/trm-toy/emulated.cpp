// SPDX-License-Identifier: MIT
// Puzzle rows on a device that is emulated, for --device cuda. It is there where EMULATED_GPUS says how many there are; with
// EMULATED_GPUS_WAIT a step is waited for before the next is asked for.
#include <cstdlib>

#define TRM_PRESET_ON_CUDA  // no model for a CPU here
#include "models.hpp"
#include "support/emulated_gpu.hpp"
#include "trm/train/cuda/solver.hpp"
#include "trm/train/cuda/trainer.hpp"

namespace trm_toy {
/// Without the guard of its memory, which takes most of the time.
struct gpu : trm::cuda::emulated_gpu {
  gpu() : emulated_gpu({.guarded = false}) {}
};
}  // namespace trm_toy

namespace program::detail {

template <>
struct computer<trm::cuda::context<trm_toy::gpu>> : host_processes {
  static constexpr const char* name = "cuda";
  trm_toy::gpu gpu;
  trm::cuda::context<trm_toy::gpu> context{gpu};

  explicit computer(int) {}
  template <class Model>
  static std::unique_ptr<any_solver> int8_solver(const std::filesystem::path&, int, int) {
    throw trm::error("--int8", "is for the CPU: add --device cpu");
  }
};

}  // namespace program::detail

namespace {

constexpr trm::config small() {
  trm::config c = trm_toy::with_rows();
  c.hidden = c.puzzle_width = 16;
  c.h_cycles = c.l_cycles = 1;
  return c;
}
using on_device = trm::cuda::context<trm_toy::gpu>;
using model = program::compiled_model<on_device, small(), float>;

class waiting_trainer final : public program::detail::trainer_of<model::model, on_device> {
 public:
  using trainer_of::trainer_of;
  std::optional<trm::step_report> ask(const trm::batch& offered) override {
    const auto none = trainer_of::ask(offered);
    return none ? none : finish();
  }
};
class waiting_model final : public model {
 public:
  std::unique_ptr<program::any_trainer> trainer(const trm::training_options& options, const std::string& optimizer,
                                                int threads, const std::string& preset) const override {
    return std::make_unique<waiting_trainer>(options, optimizer, threads, preset);
  }
};

int count() { return std::atoi(std::getenv("EMULATED_GPUS")); }
std::unique_ptr<program::any_model> make() {
  if (std::getenv("EMULATED_GPUS_WAIT") != nullptr) return std::make_unique<waiting_model>();
  return std::make_unique<model>();
}

trm::training_options few() {
  trm::training_options o = trm_toy::training();
  o.batch = 4, o.max_steps = 2, o.schedule.warmup = 3;
  return o;
}

const bool told = std::getenv("EMULATED_GPUS") != nullptr && (program::detail::gpus().count = count, true);
const program::registered_preset here(
    {.name = "emulated", .about = "puzzle rows", .make = make, .training = few(), .steps = 20});

}  // namespace
