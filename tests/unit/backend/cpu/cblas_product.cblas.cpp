// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/cblas_product.hpp"

#include "product_cases.hpp"

TEST_CASE_TEMPLATE("the product of the BLAS agrees with float64", T, float, trm::bf16, double) {
  trm_test::check_provider<trm::cpu::cblas_product, T>();
}
