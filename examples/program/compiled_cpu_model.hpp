// SPDX-License-Identifier: MIT
// The models of presets on a CPU. Included by compiled_model.hpp.
#pragma once
#include "compiled_model.hpp"
#include "trm/backend/cpu/context.hpp"
#include "trm/backend/cpu/int8_product.hpp"

namespace program {

namespace detail {

template <class Provider>
struct computer<trm::cpu::context<Provider>> : host_processes {
  static constexpr const char* name = "cpu";
  trm::cpu::context<Provider> context;

  explicit computer(int threads) : context(thread_count(threads)) {}

  template <class Model>
  static std::unique_ptr<any_solver> int8_solver(const std::filesystem::path& checkpoint, int batch, int threads) {
    using int8 = trm::cpu::context<trm::cpu::int8_product>;
    return std::make_unique<checkpoint_solver<Model, int8>>(checkpoint, batch, threads);
  }
};

}  // namespace detail

template <trm::config C, class Compute, class... Parts>
std::unique_ptr<any_model> make() {
  return std::make_unique<compiled_model<trm::cpu::context<>, C, Compute, Parts...>>();
}

}  // namespace program
