// SPDX-License-Identifier: MIT
// That it compiles and links; it runs where there are GPUs.
#include "trm/train/nccl_communicator.hpp"

#include <doctest/doctest.h>

#include "trm/train/any_communicator.hpp"
#include "trm/train/cuda/collectives.hpp"

template trm::nccl::communicator::communicator(trm::any_communicator&, std::size_t, std::chrono::milliseconds);
template class trm::nccl::beside<trm::any_communicator>;
static_assert(trm::communicator<trm::nccl::beside<trm::any_communicator>>);

namespace {
/// A stream of the device and a point in it, as trm::cuda::gpu has them.
struct some_device {
  struct mark {
    cudaEvent_t event() const { return nullptr; }
  };
  cudaStream_t stream() const { return nullptr; }
};
}  // namespace
static_assert(trm::cuda::device_communicator<trm::nccl::beside<trm::any_communicator>, some_device>);
static_assert(trm::cuda::device_communicator<trm::nccl::communicator, some_device>);
template void trm::nccl::communicator::finish(some_device&, const some_device::mark&);

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
