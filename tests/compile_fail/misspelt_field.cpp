// SPDX-License-Identifier: MIT
// expect: trm::config.*h_cycels|h_cycels.*trm::config
#include "trm/models/model.hpp"

constexpr trm::config c{.tokens = 9, .vocab = 5, .hidden = 32, .heads = 4, .h_cycels = 3};
