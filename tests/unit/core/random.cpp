// SPDX-License-Identifier: MIT
#include "trm/core/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <vector>

namespace {

using trm::philox;
using trm::philox4x32;
using trm::philox_block;
using trm::purpose;

// Known answers of Random123's kat_vectors, philox4x32 with 10 rounds.
static_assert(philox4x32({{0, 0, 0, 0}}, 0, 0) == philox_block{{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
static_assert(philox4x32({{~0u, ~0u, ~0u, ~0u}}, ~0u, ~0u) ==
              philox_block{{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
static_assert(philox4x32({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0) ==
              philox_block{{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});

struct moments {
  double mean = 0, variance = 0, skew = 0, kurtosis = 0, least = 1e300, most = -1e300;
};
template <class Draw>
moments measure(int n, Draw draw) {
  moments m;
  std::vector<double> x(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) x[static_cast<std::size_t>(i)] = draw(static_cast<std::uint64_t>(i));
  for (const double v : x) m.mean += v / n, m.least = std::min(m.least, v), m.most = std::max(m.most, v);
  for (const double v : x) m.variance += (v - m.mean) * (v - m.mean) / n;
  for (const double v : x) {
    const double z = (v - m.mean) / std::sqrt(m.variance);
    m.skew += z * z * z / n;
    m.kurtosis += z * z * z * z / n;
  }
  return m;
}

TEST_CASE("a draw depends on seed, purpose, step, row and index, and on nothing else") {
  const philox p{42};
  CHECK(p.at(purpose::noise, 3, 4).bits64(5) == philox{42}.at(purpose::noise, 3, 4).bits64(5));
  std::set<std::uint64_t> seen;
  for (const std::uint64_t seed : {0ull, 1ull, 1ull << 32})
    for (const purpose what : {purpose::initialisation, purpose::noise, purpose::user})
      for (const std::uint64_t step : {0ull, 1ull, 1ull << 32, (1ull << 56) - 1})
        for (const std::uint32_t row : {0u, 1u, ~0u})
          for (const std::uint64_t index : {0ull, 1ull, 2ull, (1ull << 33) - 1})
            seen.insert(philox{seed}.at(what, step, row).bits64(index));
  CHECK(seen.size() == 3 * 3 * 4 * 3 * 4);
}

TEST_CASE("the stream is recorded: changing it breaks every saved run") {
  constexpr trm::draws d = philox{20251004}.at(purpose::puzzle_choice, 7, 9);
  static_assert(d.block(0) == philox_block{{0xfc6d6490, 0xd898a751, 0x639afbb6, 0x7e9c9fda}});
  static_assert(d.bits64(3) == 0x1a90ddb01b13f924ull);
  static_assert(d.below(1000, 0) == 846 && d.below(1000, 1) == 494 && d.below(1000, 2) == 22);
  static_assert(d.uniform(0) == 0x1.f8dac8p-1f);
  CHECK(static_cast<float>(d.normal(0)) == doctest::Approx(0.095174253).epsilon(1e-7));
  CHECK(static_cast<float>(d.normal(1)) == doctest::Approx(-0.138021931).epsilon(1e-7));
  CHECK(static_cast<float>(d.truncated_normal(1.0, 0)) == doctest::Approx(1.08623528).epsilon(1e-7));
  std::array<int, 8> order{};
  trm::permutation(d, std::span<int>(order));
  CHECK(order == std::array<int, 8>{1, 4, 3, 5, 2, 6, 7, 0});
}

TEST_CASE("words of a block are handed out one by one and in pairs") {
  const trm::draws d = philox{1}.at(purpose::user);
  for (std::uint32_t b = 0; b < 3; ++b) {
    const philox_block block = d.block(b);
    for (std::uint32_t i = 0; i < 4; ++i) CHECK(d.bits32(4 * b + i) == block.word[i]);
    for (std::uint32_t i = 0; i < 2; ++i)
      CHECK(d.bits64(2 * b + i) == (block.word[2 * i] | std::uint64_t{block.word[2 * i + 1]} << 32));
  }
}

TEST_CASE("uniform draws: in [0, 1), with the moments of the uniform distribution") {
  const trm::draws d = philox{5}.at(purpose::exploration_chance);
  const int n = 400000;
  for (const moments& m :
       {measure(n, [&](auto i) { return d.uniform(i); }), measure(n, [&](auto i) { return d.uniform64(i); })}) {
    CHECK(std::abs(m.mean - 0.5) < 5 * std::sqrt(1.0 / 12 / n));
    CHECK(std::abs(m.variance - 1.0 / 12) < 5 * std::sqrt(1.0 / 180 / n));
    CHECK(m.least >= 0);
    CHECK(m.least < 1e-4);
    CHECK(m.most < 1);
    CHECK(m.most > 1 - 1e-4);
  }
}

TEST_CASE("normal draws have the moments of the standard normal distribution") {
  const trm::draws d = philox{6}.at(purpose::noise);
  const int n = 400000;
  const moments m = measure(n, [&](auto i) { return d.normal(i); });
  CHECK(std::abs(m.mean) < 5 / std::sqrt(n));
  CHECK(std::abs(m.variance - 1) < 5 * std::sqrt(2.0 / n));
  CHECK(std::abs(m.skew) < 5 * std::sqrt(6.0 / n));
  CHECK(std::abs(m.kurtosis - 3) < 5 * std::sqrt(24.0 / n));
  double neighbours = 0;  // the two draws of a pair are uncorrelated
  for (std::uint64_t i = 0; i < n; i += 2) neighbours += d.normal(i) * d.normal(i + 1);
  CHECK(std::abs(neighbours / (n / 2)) < 5 / std::sqrt(n / 2));
}

TEST_CASE("truncated normal: the standard deviation asked for, cut off at two of the underlying one") {
  const trm::draws d = philox{7}.at(purpose::initialisation);
  const int n = 400000;
  const double bound = 2 / 0.87962566103423978;
  const moments m = measure(n, [&](auto i) { return d.truncated_normal(0.5, i); });
  CHECK(std::abs(m.mean) < 0.5 * 5 / std::sqrt(n));
  CHECK(std::sqrt(m.variance) == doctest::Approx(0.5).epsilon(0.005));
  CHECK(m.most <= 0.5 * bound);
  CHECK(m.most > 0.5 * bound * 0.999);
  CHECK(m.least >= -0.5 * bound);
  CHECK(m.least < -0.5 * bound * 0.999);
  CHECK(m.kurtosis < 2.5);  // 2.37 for this truncation, 3 for a normal distribution
  CHECK(d.truncated_normal(0.0, 3) == 0);
}

TEST_CASE("inverse_erf inverts erf over the range that the truncation needs") {
  for (int i = -9600; i <= 9600; ++i) {
    const double y = i / 10000.0, x = trm::detail::inverse_erf(y);
    CHECK_MESSAGE(std::abs(std::erf(x) - y) < 4e-16, y);
  }
  CHECK(trm::detail::inverse_erf(0.5) == doctest::Approx(0.47693627620446987).epsilon(1e-15));
  CHECK(trm::detail::inverse_erf(1e-12) == doctest::Approx(8.8622692545275801e-13).epsilon(1e-12));
}

TEST_CASE("below: every value of a small range equally often, large ranges to their end") {
  const trm::draws d = philox{8}.at(purpose::puzzle_choice);
  const int n = 70000;
  std::array<int, 7> count{};
  for (std::uint64_t i = 0; i < n; ++i) ++count[d.below(7, i)];
  double chi2 = 0;
  for (const int c : count) chi2 += (c - 10000.0) * (c - 10000.0) / 10000.0;
  CHECK(chi2 < 27.9);  // 6 degrees of freedom, p = 1e-4
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(d.below(1, i) == 0);
  std::uint64_t most = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) most = std::max(most, d.below(~0ull, i));
  CHECK(most > ~0ull / 1000 * 990);
  CHECK(trm::detail::multiply_high(~0ull, ~0ull) == ~0ull - 1);
  CHECK(trm::detail::multiply_high(0x123456789abcdef0ull, 0xfedcba9876543210ull) == 0x121fa00ad77d7422ull);
}

TEST_CASE("permutation: each order of four equally often; any length") {
  std::map<std::array<int, 4>, int> count;
  const int n = 24000;
  for (std::uint32_t i = 0; i < n; ++i) {
    std::array<int, 4> order{};
    trm::permutation(philox{9}.at(purpose::group_order, 0, i), std::span<int>(order));
    ++count[order];
  }
  CHECK(count.size() == 24);
  double chi2 = 0;
  for (const auto& [order, c] : count) chi2 += (c - 1000.0) * (c - 1000.0) / 1000.0;
  CHECK(chi2 < 57.1);  // 23 degrees of freedom, p = 1e-4
  for (const std::size_t length : {0u, 1u, 2u, 1000u}) {
    std::vector<std::uint32_t> order(length), sorted(length);
    trm::permutation(philox{9}.at(purpose::group_order), std::span<std::uint32_t>(order));
    std::iota(sorted.begin(), sorted.end(), 0u);
    CHECK(std::is_permutation(order.begin(), order.end(), sorted.begin(), sorted.end()));
  }
}

}  // namespace
