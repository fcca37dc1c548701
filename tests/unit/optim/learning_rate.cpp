// SPDX-License-Identifier: MIT
#include "trm/optim/learning_rate.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace {

/// cosine_schedule_with_warmup_lr_lambda of the published training program, one cycle.
double published(long long step, double base, long long warmup, long long total, double min_ratio) {
  if (step < warmup) return base * static_cast<double>(step) / static_cast<double>(std::max(1LL, warmup));
  const double progress = static_cast<double>(step - warmup) / static_cast<double>(std::max(1LL, total - warmup));
  return base *
         (min_ratio + std::max(0.0, (1 - min_ratio) * 0.5 * (1.0 + std::cos(std::acos(-1.0) * 2.0 * 0.5 * progress))));
}

}  // namespace

TEST_CASE("the published formula, at every step") {
  for (const trm::learning_rate_schedule s :
       {trm::learning_rate_schedule{.warmup = 5, .total = 40, .min_ratio = 0.1},
        trm::learning_rate_schedule{.warmup = 0, .total = 10, .min_ratio = 0},
        trm::learning_rate_schedule{.warmup = 1, .total = 7, .min_ratio = 1},
        trm::learning_rate_schedule{.warmup = 9, .total = 9, .min_ratio = 0.5},
        trm::learning_rate_schedule{.warmup = 20, .total = 10, .min_ratio = 0.5}}) {
    for (long long t = 0; t <= s.total + 3; ++t) {
      INFO("warm-up ", s.warmup, ", total ", s.total, ", step ", t);
      CHECK(s.at(3e-4, t) == doctest::Approx(published(t, 3e-4, s.warmup, s.total, s.min_ratio)).epsilon(1e-14));
    }
  }
}

TEST_CASE("warm-up is linear from step 1, and reaches the rate at its last step") {
  const trm::learning_rate_schedule s{.warmup = 2000, .total = 100000, .min_ratio = 1};
  CHECK(s.at(1e-4, 0) == 0);
  CHECK(s.at(1e-4, 1) == doctest::Approx(1e-4 / 2000));
  CHECK(s.at(1e-4, 1999) == doctest::Approx(1e-4 * 1999 / 2000));
  CHECK(s.at(1e-4, 2000) == 1e-4);
}

TEST_CASE("without warm-up the first step has the full rate") {
  const trm::learning_rate_schedule none{.warmup = 0, .total = 100, .min_ratio = 0.5},
      one{.warmup = 1, .total = 100, .min_ratio = 0.5};
  CHECK(none.at(1, 1) == doctest::Approx(1).epsilon(1e-3));
  CHECK(none.at(1, 0) == 1);
  CHECK(one.at(1, 1) == 1);
}

TEST_CASE("min_ratio: the end of the cosine, or a constant rate") {
  const trm::learning_rate_schedule tenth{.warmup = 10, .total = 110, .min_ratio = 0.1};
  CHECK(tenth.at(2, 60) == doctest::Approx(2 * (0.1 + 0.9 / 2)));
  CHECK(tenth.at(2, 110) == doctest::Approx(0.2));
  const trm::learning_rate_schedule constant{.warmup = 10, .total = 110, .min_ratio = 1};
  for (long long t : {10, 50, 110, 5000}) CHECK(constant.at(2, t) == 2);
}

TEST_CASE("the default is a constant rate") {
  for (long long t : {1, 2, 1000000}) CHECK(trm::learning_rate_schedule{}.at(1e-4, t) == 1e-4);
}
