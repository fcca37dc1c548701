// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/reference_product.hpp"

#include "product_cases.hpp"

TEST_CASE_TEMPLATE("the reference product agrees with float64", T, float, trm::bf16, double) {
  trm_test::check_provider<trm::cpu::reference_product, T>();
  trm_test::check_rows_are_independent<trm::cpu::reference_product, T>();
}
