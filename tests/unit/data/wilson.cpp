// SPDX-License-Identifier: MIT
#include "trm/data/wilson.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

TEST_CASE("Wilson's interval is where the score test has its critical value") {
  // Published values (Newcombe 1998, method 3): 81 of 263, 15 of 148, 0 of 20, 1 of 29.
  const auto check = [](double successes, double trials, double low, double high) {
    const trm::interval i = trm::wilson(successes, trials);
    CHECK(i.low == doctest::Approx(low).epsilon(1e-3));
    CHECK(i.high == doctest::Approx(high).epsilon(1e-3));
    for (const double end : {i.low, i.high}) {
      if (end <= 0 || end >= 1) continue;
      const double z = (successes / trials - end) / std::sqrt(end * (1 - end) / trials);
      CHECK(std::abs(z) == doctest::Approx(trm::normal_quantile_95));
    }
  };
  check(81, 263, 0.2553, 0.3662);
  check(15, 148, 0.0624, 0.1605);
  check(0, 20, 0, 0.1611);
  check(1, 29, 0.0061, 0.1718);
  check(29, 29, 0.8830, 1);
}

TEST_CASE("an interval holds its share, says nothing of nothing, and narrows with trials") {
  for (int n = 1; n < 50; ++n) {
    for (int k = 0; k <= n; ++k) {
      const trm::interval i = trm::wilson(k, n);
      CHECK((0 <= i.low && i.low <= double(k) / n && double(k) / n <= i.high && i.high <= 1));
    }
  }
  CHECK(trm::wilson(0, 0).low == 0);
  CHECK(trm::wilson(0, 0).high == 1);
  CHECK(trm::wilson(50, 100).high < trm::wilson(5, 10).high);
  CHECK(trm::wilson(0.3 + 0.6 + 0.1, 1).high == 1);
}

TEST_CASE("more successes than trials are refused") {
  CHECK_THROWS_AS(trm::wilson(2, 1), trm::error);
  CHECK_THROWS_AS(trm::wilson(-1, 1), trm::error);
  CHECK_THROWS_AS(trm::wilson(std::numeric_limits<double>::quiet_NaN(), 1), trm::error);
  CHECK_THROWS_AS(trm::wilson(1, std::numeric_limits<double>::infinity()), trm::error);
  CHECK_THROWS_AS(trm::wilson(1, 2, 0), trm::error);
}
