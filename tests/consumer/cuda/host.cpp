// SPDX-License-Identifier: MIT
#include "trm/core/random.hpp"
#include "trm/models/plan.hpp"

constexpr trm::config sorting{.tokens = 8, .vocab = 10, .hidden = 32, .heads = 2};

float drawn_on_the_host(int i) {
  return trm::philox{7}.at(trm::purpose::user, 1).uniform(static_cast<std::uint64_t>(i));
}
std::size_t parameters_on_the_host() { return trm::model<sorting>::parameter_count; }
