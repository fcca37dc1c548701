// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/split_packing.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "product_cases.hpp"
#include "trm/backend/cpu/builtin_product.hpp"

#if defined(TRM_TARGET_AMX)

using namespace trm::cpu;

namespace {

float term(const std::uint32_t* words, int at, bool upper) {
  return std::bit_cast<float>(upper ? words[at] & 0xffff0000u : words[at] << 16);
}

/// The terms of 512 numbers x(i, r), [3][i][r].
template <detail::split_form Form>
std::vector<float> terms_of(const float* x, std::ptrdiff_t si, std::ptrdiff_t sr, int valid, int count) {
  std::vector<std::uint32_t> out(3 * 256, 0xdeadbeefu);
  with_isa<isa::avx512>([&](auto)
                            TRM_INLINE { detail::split_step<Form>(x, si, sr, valid, count, out.data(), 16, 256); });
  std::vector<float> terms;
  for (int t = 0; t < 3; ++t) {
    for (int i = 0; i < 16; ++i) {
      for (int r = 0; r < 32; ++r) {
        const int at = Form == detail::split_form::rows ? i * 16 + r / 2 : r / 2 * 16 + i;
        terms.push_back(term(out.data() + t * 256, at, r % 2 != 0));
      }
    }
  }
  return terms;
}

}  // namespace

TEST_CASE("a float32 is the sum of its three terms, bit for bit, in every order and at every edge") {
  if (detect_isa() < isa::avx512) return;
  trm_test::numbers draw;
  for (const auto order : trm_test::all_orders) {
    for (const int valid : {16, 1, 9}) {
      for (const int count : {32, 31, 1, 8}) {
        trm_test::samples<float> x(1, valid, count, order, draw);
        for (float& v : x.memory) v = std::ldexp(v, static_cast<int>(40 * draw()));
        const auto all = {terms_of<detail::split_form::rows>(x.memory.data(), x.row, x.col, valid, count),
                          terms_of<detail::split_form::columns>(x.memory.data(), x.row, x.col, valid, count)};
        for (const auto& terms : all) {
          for (int i = 0; i < 16; ++i) {
            for (int r = 0; r < 32; ++r) {
              const std::size_t at = static_cast<std::size_t>(i * 32 + r);
              const float wanted = i < valid && r < count ? x.view()(i, r) : 0.0f;
              REQUIRE(terms[at] + (terms[512 + at] + terms[1024 + at]) == wanted);
              REQUIRE(std::abs(terms[512 + at]) <= 0x1p-8f * std::abs(wanted));
              REQUIRE(std::abs(terms[1024 + at]) <= 0x1p-16f * std::abs(wanted));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("what is not finite stays so") {
  if (detect_isa() < isa::avx512) return;
  std::vector<float> x(512, 1.0f);
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(), std::bit_cast<float>(0xffffffffu),
                       std::bit_cast<float>(0x7fffffffu), std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity()};
  for (int i = 0; i < 5; ++i) x[static_cast<std::size_t>(i * 32)] = bad[i];
  const auto terms = terms_of<detail::split_form::rows>(x.data(), 32, 1, 16, 32);
  for (std::size_t i = 0; i < 5; ++i) CHECK(std::isnan(terms[i * 32] + (terms[512 + i * 32] + terms[1024 + i * 32])));
  CHECK(terms[5 * 32] == 1.0f);
}

TEST_CASE("products by tiles of split float32 are no less exact than float32's own") {
  if (detect_isa() != isa::amx) {
    MESSAGE("SKIPPED, the processor has no tiles");
    return;
  }
  const int m = 48, n = 64;
  for (const int k : {32, 97, 512, 1536}) {
    trm_test::numbers draw;
    trm_test::samples<float> a(1, m, k, trm_test::order::rows_contiguous, draw),
        w(1, n, k, trm_test::order::rows_contiguous, draw);
    for (float& v : a.memory) v = std::ldexp(v, static_cast<int>(12 * draw()));
    const auto error = [&](isa level) {
      use_isa(level);
      trm_test::workspace prepared(builtin_product::prepared_bytes<float>(n, k)),
          scratch(builtin_product::multiply_workspace<float>(n, k));
      std::vector<float> tile(static_cast<std::size_t>(m * n));
      builtin_product::prepare<float, float>(w.view(), n, k, prepared.data());
      builtin_product::multiply<float>(a.view(), m, prepared.data(), n, k, tile.data(), n, scratch.data());
      use_isa(detect_isa());
      double squares = 0;
      for (int i = 0; i < m; ++i) {
        for (int j = 0; j < n; ++j) {
          double sum = 0;
          for (int l = 0; l < k; ++l) sum += static_cast<double>(a.view()(i, l)) * static_cast<double>(w.view()(j, l));
          squares += std::pow(static_cast<double>(tile[static_cast<std::size_t>(i * n + j)]) - sum, 2);
        }
      }
      return std::sqrt(squares);
    };
    CAPTURE(k);
    CHECK(error(isa::amx) < error(isa::avx512));
  }
}

#endif
