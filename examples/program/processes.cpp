// SPDX-License-Identifier: MIT
// The one source of the programs that knows MPI, where there is one: cmake/processes.cmake.
#include "processes.hpp"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "trm/train/launch.hpp"
#ifdef TRM_WITH_MPI
#include "trm/train/mpi_communicator.hpp"
#endif

namespace program {

#ifdef TRM_WITH_MPI
namespace {

/// TRM_PATIENCE: seconds that a process waits for the others, half an hour where it is not set.
std::chrono::seconds patience() {
  const char* text = std::getenv("TRM_PATIENCE");
  if (text == nullptr) return std::chrono::minutes(30);
  const std::string_view digits(text);
  int seconds = 0;
  const auto [end, bad] = std::from_chars(digits.begin(), digits.end(), seconds);
  if (bad != std::errc{} || end != digits.end() || seconds < 1)
    throw trm::error("environment variable TRM_PATIENCE", "is no number of seconds");
  return std::chrono::seconds(seconds);
}

}  // namespace
#endif

void start_processes() {
  const trm::launch started = trm::read_launch();
  if (started.size == 1) return;
#ifdef TRM_WITH_MPI
  processes() = trm::any_communicator(std::in_place_type<trm::mpi::communicator>, patience());
  trm::require_size(started, processes().size());
  processes_here() = started.local_size;
#else
  throw trm::error("this program", "was built without MPI and cannot work in " + std::to_string(started.size) +
                                       " processes: build it where MPI is (Debian: libopenmpi-dev openmpi-bin)");
#endif
}

}  // namespace program
