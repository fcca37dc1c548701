// SPDX-License-Identifier: MIT
// The Wilson score interval of a share.
#pragma once
#include <algorithm>
#include <cmath>

#include "trm/core/error.hpp"

namespace trm {

/// A confidence interval of a rate, within [0, 1].
struct interval {
  double low = 0, high = 1;  // its bounds
};

/// Two-sided quantile of the normal distribution for 95 %.
inline constexpr double normal_quantile_95 = 1.959963984540054;

/// The score interval of Wilson (1927) for a share of `successes` among `trials`, p = successes / trials:
///   (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)
/// `successes` may be a sum of numbers in [0, 1]: their variance is at most p (1 - p), so that the interval is then too wide
/// rather than too narrow. Without a trial it is [0, 1].
/// \throws trm::error unless 0 <= successes <= trials and z > 0, all finite
inline interval wilson(double successes, double trials, double z = normal_quantile_95) {
  constexpr double rounding = 1e-9;  // of a sum of fractions
  if (!(successes >= 0 && successes <= trials * (1 + rounding)) || !std::isfinite(trials) || !(z > 0) ||
      !std::isfinite(z)) {
    throw error("Wilson interval", "needs 0 <= successes <= trials and z > 0");
  }
  if (trials == 0) return {};
  const double p = std::min(successes / trials, 1.0), z2 = z * z / trials;
  const double centre = p + z2 / 2, reach = std::sqrt(z2 * (p * (1 - p) + z2 / 4));
  return {std::clamp((centre - reach) / (1 + z2), 0.0, p), std::clamp((centre + reach) / (1 + z2), p, 1.0)};
}

}  // namespace trm
