// SPDX-License-Identifier: MIT
// Learning rate: linear warm-up, then cosine.
#pragma once
#include <algorithm>
#include <cmath>

namespace trm {

/// rate(t) = base * t / warmup for t < warmup, then base * (m + (1 - m) * (1 + cos(pi * p)) / 2), p = (t - warmup) / (total - warmup),
/// m = min_ratio. Steps count from 1. min_ratio 1 keeps the rate constant after warm-up.
struct learning_rate_schedule {
  long long warmup = 0, total = 1;
  double min_ratio = 1.0;

  double at(double base, long long t) const {
    if (t < warmup) return base * static_cast<double>(t) / static_cast<double>(std::max(1LL, warmup));
    const double progress = static_cast<double>(t - warmup) / static_cast<double>(std::max(1LL, total - warmup));
    return base *
           (min_ratio + std::max(0.0, (1 - min_ratio) * 0.5 * (1.0 + std::cos(3.14159265358979323846 * progress))));
  }
};

}  // namespace trm
