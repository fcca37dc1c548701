// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/builtin_product.hpp"

#include "product_cases.hpp"

using namespace trm::cpu;

TEST_CASE_TEMPLATE("the built-in product agrees with float64 on every instruction set of this machine", T, float,
                   trm::bf16, double) {
  for (isa level : all_isas) {
    if (level > detect_isa()) continue;
    const std::string level_name = name(level);
    CAPTURE(level_name);
    use_isa(level);
    trm_test::check_provider<builtin_product, T>();
    trm_test::check_rows_are_independent<builtin_product, T>();
  }
  use_isa(detect_isa());
}

TEST_CASE_TEMPLATE("weights prepared for one instruction set serve every other, float32 that of tiles alone", T, float,
                   trm::bf16) {
  const int n = 61, k = 83, m = 20;
  trm_test::numbers draw;
  const trm_test::samples<float> w(1, n, k, trm_test::order::rows_contiguous, draw);
  const trm_test::samples<T> a(1, m, k, trm_test::order::rows_contiguous, draw);
  const auto product = [&](isa prepared_by, isa multiplied_by) {
    trm_test::workspace prepared(builtin_product::prepared_bytes<T>(n, k)),
        scratch(builtin_product::multiply_workspace<T>(n, k));
    std::vector<float> tile(static_cast<std::size_t>(m * n));
    use_isa(prepared_by);
    builtin_product::prepare<T, float>(w.view(), n, k, prepared.data());
    use_isa(multiplied_by);
    builtin_product::multiply<T>(a.view(), m, prepared.data(), n, k, tile.data(), n, scratch.data());
    use_isa(detect_isa());
    return tile;
  };
  constexpr auto& levels = all_isas;
  for (isa by : levels) {
    for (isa with : levels) {
      if (by > detect_isa() || with > detect_isa()) continue;
      if (std::is_same_v<T, float> && (by == isa::amx) != (with == isa::amx)) continue;
      const std::string names = std::string(name(by)) + ", " + name(with);
      CAPTURE(names);
      CHECK(product(by, with) == product(with, with));
    }
  }
}
