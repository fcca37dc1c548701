// SPDX-License-Identifier: MIT
#include "trm/train/collectives.hpp"

#include <vector>

#include <doctest/doctest.h>

#include "collectives_checks.hpp"
#include "support/thread_ranks.hpp"

using trm_test::thread_ranks;

TEST_CASE("one, two, three and five ranks gather, broadcast, and sum to the bits of the sum in rank order") {
  for (const int n : {1, 2, 3, 5}) {
    CAPTURE(n);
    thread_ranks::run(n, [](thread_ranks::communicator& c) { trm_test::check_collectives(c); });
  }
}

TEST_CASE("a process alone keeps its values") {
  trm::single_process alone;
  trm_test::check_collectives(alone);
}

TEST_CASE("summing without memory for it is said") {
  CHECK_THROWS_WITH_AS(thread_ranks::run(2,
                                         [](thread_ranks::communicator& c) {
                                           trm::collectives all(c);
                                           std::vector<float> v(3);
                                           all.sum_in_order(std::span(v));
                                         }),
                       "collectives: made without memory to sum in", trm::error);
}
