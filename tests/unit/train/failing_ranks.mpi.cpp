// SPDX-License-Identifier: MIT
// What happens to the other processes where one fails. Run by failing_ranks.mpi.sh, which says what is to fail by TRM_TEST_FAILURE.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <span>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "trm/core/error.hpp"
#include "trm/train/collectives.hpp"
#include "trm/train/mpi_communicator.hpp"

namespace {

/// Sums until it is ended; the last rank fails at the third sum.
void work(trm::mpi::communicator& world, std::string_view failure) {
  trm::collectives all(world, 1 << 16);
  std::vector<float> v(100000, 1.0f);
  for (int i = 0;; ++i) {
    all.sum_in_order(std::span(v));
    if (i < 3 || world.rank() != world.size() - 1) continue;
    if (failure == "killed") std::raise(SIGKILL);
    if (failure == "stopped") std::raise(SIGSTOP);
    throw trm::error("data/train/inputs.npy", "cannot be read");
  }
}

}  // namespace

TEST_CASE("all processes end where one fails") {
  const char* failure = std::getenv("TRM_TEST_FAILURE");
  REQUIRE(failure != nullptr);
  const std::string_view what = failure;
  const auto patience = std::chrono::seconds(what == "stopped" ? 2 : 600);
  if (what == "unwound") {  // nobody looks at the exception
    trm::mpi::communicator world(patience);
    work(world, what);
  }
  trm::mpi::communicator world(patience);
  try {
    work(world, what);
  } catch (const std::exception& e) {
    world.abort(e.what());
  }
}
