// SPDX-License-Identifier: MIT
// expect: six_state: there are six low-level states, so at most six L cycles
#include "trm/compose/schedule.hpp"

constexpr auto n = trm::six_state<2, 7>::applications.size();
