// SPDX-License-Identifier: MIT
#include "cpu_kernels.hpp"

#include "trm/backend/cpu/cblas_product.hpp"

namespace {

const bool registered = [] {
  trm_benchmark::register_provider<trm::cpu::cblas_product>("cblas");
  return true;
}();

}  // namespace
