// SPDX-License-Identifier: MIT
// How processes meet. The one source of the programs that knows MPI, where there is one: cmake/processes.cmake.
#include "processes.hpp"

#include <cstdlib>
#include <utility>

#include "trm/train/launch.hpp"
#include "trm/train/meeting.hpp"
#include "trm/train/tcp_communicator.hpp"
#ifdef TRM_WITH_MPI
#include "trm/train/mpi_communicator.hpp"
#endif

namespace program {

namespace {

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != 0;
}
/// torchrun's processes meet over TCP, and all for which TRM_MEETING_PORT says where. mpirun may have been told torchrun's variables too.
bool over_tcp(const trm::launch& started) {
  return is_set("TRM_MEETING_PORT") ||
         (started.launcher == "torchrun" && !is_set("OMPI_COMM_WORLD_SIZE") && !is_set("PMI_SIZE"));
}

}  // namespace

std::chrono::seconds patience() {
  const auto seconds = trm::detail::launch_reader([](const char* name) -> const char* {
                         return std::getenv(name);
                       }).number("TRM_PATIENCE", 1, 1000000);
  return std::chrono::seconds(seconds.value_or(1800));
}

void start_processes() {
  const trm::launch started = trm::read_launch();
  if (started.size == 1) return;
  processes_here() = started.local_size;
  if (over_tcp(started)) {
    trm::meeting_point at = trm::meeting_point::of(started);
    at.patience = patience();
    processes() = trm::any_communicator(std::in_place_type<trm::tcp::communicator>, started, at);
    return;
  }
#ifdef TRM_WITH_MPI
  processes() = trm::any_communicator(std::in_place_type<trm::mpi::communicator>, patience());
  trm::require_size(started, processes().size());
#else
  throw trm::error("this program", "was built without MPI, by which the " + std::to_string(started.size) +
                                       " processes of " + started.launcher +
                                       " meet: build it where MPI is (Debian: libopenmpi-dev openmpi-bin), or set "
                                       "MASTER_ADDR and TRM_MEETING_PORT");
#endif
}

}  // namespace program
