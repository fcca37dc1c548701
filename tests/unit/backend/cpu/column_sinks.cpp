// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/column_sinks.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "product_cases.hpp"
#include "trm/backend/cpu/sinks.hpp"

using namespace trm::cpu;

TEST_CASE("16 rows at once give the bits of row after row") {
  constexpr int rows = 40, n = 21, ld = 32;
  if (detect_isa() < isa::avx512) {
    MESSAGE("SKIPPED, the processor has no AVX-512");
    return;
  }
  using view = trm::view<float, rows, n, trm::layout::channels_first>;
  using scales = trm::view<float, rows, 1, trm::layout::channels_first>;
  trm_test::numbers draw;
  std::vector<float> x(2 * rows * n), tile(16 * ld);
  for (float& v : x) v = static_cast<float>(draw());
  for (float& v : tile) v = static_cast<float>(draw());
  for (int sample = 0; sample < 2; ++sample) {
    for (const int first : {0, 5, 24}) {
      std::vector<float> one(x.size(), 7.0f), all = one, one_scales(2 * rows, 7.0f), all_scales = one_scales;
      const auto sink_to = [&](std::vector<float>& y, std::vector<float>& r) {
        return trm::sink::add_norm<view, scales, trm::sink::plus<view, trm::sink::store<view>>>{
            view{x.data()}, scales{r.data()}, 1e-5, {view{x.data()}, {view{y.data()}}}};
      };
      with_isa<isa::avx512>([&](auto level) TRM_INLINE {
        std::vector<float> copy = tile;
        for (int i = 0; i < 16; ++i) {
          detail::put(sink_to(one, one_scales),
                      detail::result_row<float, level.lanes>{copy.data() + i * ld, n, {sample, first + i, rows}});
        }
        detail::put_rows_as_columns<n>(sink_to(all, all_scales), tile.data(), ld, {sample, first, rows});
      });
      CHECK(std::memcmp(one.data(), all.data(), one.size() * sizeof(float)) == 0);
      CHECK(std::memcmp(one_scales.data(), all_scales.data(), one_scales.size() * sizeof(float)) == 0);
      CHECK(one != std::vector<float>(x.size(), 7.0f));
    }
  }
}
