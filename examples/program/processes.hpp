// SPDX-License-Identifier: MIT
// The processes that a program was started as: by mpirun, srun or torchrun several, else one.
#pragma once
#include <chrono>
#include <csignal>
#include <string>

#include "trm/core/error.hpp"
#include "trm/train/agreement.hpp"
#include "trm/train/any_communicator.hpp"
#include "trm/train/collectives.hpp"

namespace program {

/// All of them. This one alone until start_processes() has found others.
inline trm::any_communicator& processes() {
  static trm::any_communicator all;
  return all;
}
/// Looks at the environment, and where it speaks of several processes meets them: by MPI those of mpirun and srun, over TCP those of
/// torchrun and those that TRM_MEETING_PORT gives a port.
/// \throws trm::error where that fails, or the program was built without MPI and needs it
void start_processes();
/// How long one waits for the others: TRM_PATIENCE, in seconds, or half an hour.
std::chrono::seconds patience();

/// How many of them are on this machine.
inline int& processes_here() {
  static int count = 1;
  return count;
}

/// The first speaks for all: only it prints, and writes what a run leaves.
inline bool first_process() { return processes().rank() == 0; }
inline bool alone() { return processes().size() == 1; }

/// Does one of them say yes? All ask at the same points.
inline bool any_process(bool yes) { return alone() ? yes : trm::collectives(processes()).any(yes); }

inline volatile std::sig_atomic_t interrupted_by = 0;
/// Has this process been asked to stop?
inline bool interrupted() { return interrupted_by != 0; }
/// Has one of them been? All ask at the same points.
inline bool any_interrupted() { return any_process(interrupted()); }

}  // namespace program
