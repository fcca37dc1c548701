// SPDX-License-Identifier: MIT
// Products of the built-in provider. With libraries as the provider: cpu_kernels.onednn.cpp, cpu_kernels.cblas.cpp.
#include "cpu_kernels.hpp"

#include "trm/backend/cpu/builtin_product.hpp"

namespace {

const bool registered = [] {
  trm_benchmark::register_ceilings();
  trm_benchmark::register_provider<trm::cpu::builtin_product>("builtin");
  return true;
}();

}  // namespace
