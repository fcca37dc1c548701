// SPDX-License-Identifier: MIT
// expect: schedule: every application must read a state
#include <array>

#include "trm/compose/schedule.hpp"

struct own {
  static constexpr std::array states{"A", "B"};
  static constexpr std::array nets{"f"};
  static constexpr int output = 0;
  static constexpr std::array applications{trm::application{0, 0, 0, 0b1, true, true}};
};
constexpr auto n = trm::gradient_flow<own>::count;
