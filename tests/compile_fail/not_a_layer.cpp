// SPDX-License-Identifier: MIT
// expect: check_gradient: this is not a layer
#include "trm/testing/gradient_check.hpp"

struct mistaken {
  template <trm::shape In, class Num>
  struct at : trm::plain_entry {
    static constexpr trm::shape out = In;
  };
};
int main() { return trm::testing::check_gradient<mistaken, trm::shape{4, 8}>().passed() ? 0 : 1; }
