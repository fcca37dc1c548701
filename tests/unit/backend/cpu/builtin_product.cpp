// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/builtin_product.hpp"

#include "product_cases.hpp"

using namespace trm::cpu;

TEST_CASE_TEMPLATE("the built-in product agrees with float64 on every instruction set of this machine", T, float, trm::bf16, double) {
  for (isa level : {isa::portable, isa::avx2, isa::avx512, isa::avx512_bf16}) {
    if (level > detect_isa()) continue;
    const std::string level_name = name(level);
    CAPTURE(level_name);
    use_isa(level);
    trm_test::check_provider<builtin_product, T>();
    trm_test::check_rows_are_independent<builtin_product, T>();
  }
  use_isa(detect_isa());
}

TEST_CASE_TEMPLATE("weights prepared for one instruction set serve every other", T, float, trm::bf16) {
  const int n = 61, k = 83;
  trm_test::numbers draw;
  const trm_test::samples<float> w(1, n, k, trm_test::order::rows_contiguous, draw);
  std::vector<std::byte> first;
  for (isa level : {isa::portable, isa::avx2, isa::avx512, isa::avx512_bf16}) {
    if (level > detect_isa()) continue;
    const std::string level_name = name(level);
    CAPTURE(level_name);
    use_isa(level);
    trm_test::workspace prepared(builtin_product::prepared_bytes<T>(n, k));
    std::memset(prepared.data(), 0, builtin_product::prepared_bytes<T>(n, k));
    builtin_product::prepare<T, float>(w.view(), n, k, prepared.data());
    const std::vector<std::byte> now(prepared.begin, prepared.end);
    if (level == isa::portable) first = now;
    CHECK(now == first);
  }
  use_isa(detect_isa());
}
