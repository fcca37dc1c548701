// SPDX-License-Identifier: MIT
// The processes that a program was started as: by mpirun, srun or torchrun several, else one.
#pragma once
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
/// Looks at the environment, and where it speaks of several processes meets them by MPI.
/// \throws trm::error where that fails, or the program was built without MPI
void start_processes();

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
