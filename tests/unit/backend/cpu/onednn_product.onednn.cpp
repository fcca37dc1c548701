// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/onednn_product.hpp"

#include "trm/backend/cpu/isa.hpp"

#include "product_cases.hpp"

TEST_CASE_TEMPLATE("the product of oneDNN agrees with float64", T, float, trm::bf16, double) {
  if (std::is_same_v<T, trm::bf16> && trm::cpu::detect_isa() < trm::cpu::isa::avx512) {
    MESSAGE("SKIPPED: oneDNN multiplies bf16 on AVX-512 only");
    return;
  }
  trm_test::check_provider<trm::cpu::onednn_product, T>();
}
