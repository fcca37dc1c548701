// SPDX-License-Identifier: MIT
// What a run costs and where it ran.
#pragma once
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

#include "processes.hpp"

namespace program {

/// As many threads as wanted; 0: one for each processor that this process may have to itself.
inline int thread_count(int wanted) {
  if (wanted > 0) return wanted;
  const int allowed = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  // A launcher that gives each process processors of its own has divided them already.
  const bool divided = allowed < ::sysconf(_SC_NPROCESSORS_ONLN);
  return std::max(1, divided ? allowed : allowed / processes_here());
}
/// Seconds of all processors that this process has used so far.
inline double processor_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}
/// The most memory that was in use at a time, in MiB.
inline double peak_memory_mib() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return static_cast<double>(use.ru_maxrss) / 1024;
}
/// The memory in use now, in MiB; 0 where the system does not say.
inline double resident_memory_mib() {
  std::ifstream file("/proc/self/statm");
  double all = 0, resident = 0;
  file >> all >> resident;  // pages
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1048576;
}
/// "AMD EPYC 9R14", or "unknown processor".
inline std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

}  // namespace program
