// SPDX-License-Identifier: MIT
// expect: schedule: the last application must write the output state
#include <array>

#include "trm/compose/schedule.hpp"

struct own {
  static constexpr std::array states{"A", "B"};
  static constexpr std::array nets{"f"};
  static constexpr int output = 0;
  static constexpr std::array applications{trm::application{0, 1, 0b1, 0, true, true}};
};
constexpr auto n = trm::gradient_flow<own>::count;
