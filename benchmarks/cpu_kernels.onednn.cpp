// SPDX-License-Identifier: MIT
#include "cpu_kernels.hpp"

#include "trm/backend/cpu/onednn_product.hpp"

namespace {

const bool registered = [] {
  trm_benchmark::register_provider<trm::cpu::onednn_product>("onednn");
  return true;
}();

}  // namespace
