// SPDX-License-Identifier: MIT
// The label of a position that is not supervised.
#pragma once
#include <cstdint>

namespace trm {

/// Labels with this value count neither in a loss nor in a metric.
inline constexpr std::int32_t ignored_label = -100;

}  // namespace trm
