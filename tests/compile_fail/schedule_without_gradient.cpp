// SPDX-License-Identifier: MIT
// expect: schedule: at least one application must have a gradient
#include <array>

#include "trm/compose/schedule.hpp"

struct own {
  static constexpr std::array states{"A", "B"};
  static constexpr std::array nets{"f"};
  static constexpr int output = 0;
  static constexpr std::array applications{trm::application{0, 0, 0b1, 0, true, false}};
};
constexpr auto n = trm::gradient_flow<own>::count;
