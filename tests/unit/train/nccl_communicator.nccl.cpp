// SPDX-License-Identifier: MIT
// That it compiles and links; it runs where there are GPUs.
#include "trm/train/nccl_communicator.hpp"

#include <doctest/doctest.h>

#include "trm/train/any_communicator.hpp"

template trm::nccl::communicator::communicator(trm::any_communicator&, std::size_t);

TEST_CASE("one process with a GPU talks to nobody") {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    MESSAGE("SKIPPED, there is no GPU");
    return;
  }
  trm::any_communicator alone;
  trm::nccl::communicator c(alone);
  CHECK(c.rank() == 0);
  CHECK(c.size() == 1);
  trm::collectives all(c);
  CHECK(!all.any(false));
}
