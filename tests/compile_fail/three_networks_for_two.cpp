// SPDX-License-Identifier: MIT
// expect: recursion: give one network, or one for each of the schedule.s
#include "trm/compose/recursion.hpp"
#include "trm/layers/linear.hpp"

using net = trm::linear<8>;
using three = trm::recursion<trm::hierarchical<1, 1>, net, net, net>;
using bound = trm::bound<three, trm::shape{4, 8}, trm::numerics<float>>;
constexpr auto n = bound::state_count;
