// SPDX-License-Identifier: MIT
// Run by mpirun: the processes train as one does.
#include <doctest/doctest.h>

#include "trm/train/any_communicator.hpp"
#include "trm/train/mpi_communicator.hpp"
#include "unit/train/data_parallel_checks.hpp"

TEST_CASE("the processes of mpirun leave the bits of one process with as many parts") {
  trm::any_communicator world(std::in_place_type<trm::mpi::communicator>, std::chrono::seconds(60));
  trm_test::check_same_as_alone(world, trm_test::train_alone(world.size()));
}
