// SPDX-License-Identifier: MIT
// How this process was started: rank, number of processes and their meeting point from the launcher's environment variables.
#pragma once
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "trm/core/error.hpp"

namespace trm {

/// A process of a job. Without a launcher: rank 0 of 1.
struct launch {
  std::string launcher;                // "torchrun", "Open MPI", "PMI", "SLURM"; empty where there is none
  int rank = 0, size = 1;              // of all processes
  int local_rank = 0, local_size = 1;  // on this machine
  std::string address;                 // of the machine of rank 0; empty where the launcher does not say
  int port = 0;                        // free on that machine by agreement; 0 where the launcher does not say
};

namespace detail {

/// Reads environment variables through `get`, std::getenv or a test's.
class launch_reader {
 public:
  using getter = std::function<const char*(const char*)>;
  explicit launch_reader(getter get) : get_(std::move(get)) {}

  std::optional<std::string> text(const char* name) const {
    const char* value = get_(name);
    if (value == nullptr || *value == 0) return {};
    return value;
  }
  bool has(const char* name) const { return text(name).has_value(); }
  /// A whole number in [low, high].
  std::optional<int> number(const char* name, int low, int high) const {
    const auto value = text(name);
    if (!value) return {};
    int n = 0;
    const auto [end, code] = std::from_chars(value->data(), value->data() + value->size(), n);
    if (code != std::errc{} || end != value->data() + value->size() || n < low || n > high) {
      throw error(place(name), "\"" + printed(*value) + "\" is no whole number from " + std::to_string(low) + " to " +
                                   std::to_string(high));
    }
    return n;
  }
  int required(const char* name, int low, int high, const char* because) const {
    const auto n = number(name, low, high);
    if (!n) throw error(place(name), std::string("is not set, but ") + because + " is: both or neither");
    return *n;
  }
  static std::string place(const char* name) { return std::string("environment variable ") + name; }
  static std::string printed(std::string_view value) {
    std::string text(value.substr(0, 60));
    for (char& c : text) c = c < 32 || c > 126 ? '?' : c;
    return text;
  }

 private:
  getter get_;
};

inline constexpr int most_ranks = 1 << 20;

/// The names of the variables of one launcher. Null: it has none for that.
struct launch_variables {
  const char *launcher, *rank, *size, *local_rank, *local_size;
};
inline constexpr launch_variables launchers[] = {
    {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"},
    {"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE"},
    {"PMI", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
    {"SLURM", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", nullptr},
};

inline std::optional<launch> read_launch(const launch_reader& from, const launch_variables& v) {
  // A batch script of SLURM has a SLURM_PROCID as well; only what srun started belongs to a step. Its processes, and those that
  // mpirun starts in it, are known by their own variables first.
  if (std::string_view(v.launcher) == "SLURM" && !from.has(v.size)) return {};
  if (!from.has(v.rank) && !from.has(v.size)) return {};
  launch l;
  l.launcher = v.launcher;
  l.size = from.required(v.size, 1, most_ranks, v.rank);
  l.rank = from.required(v.rank, 0, most_ranks, v.size);
  if (l.rank >= l.size) {
    throw error(launch_reader::place(v.rank),
                std::to_string(l.rank) + " is no rank of " + std::to_string(l.size) + " processes (" + v.size + ")");
  }
  l.local_size = (v.local_size == nullptr ? std::nullopt : from.number(v.local_size, 1, l.size)).value_or(0);
  l.local_rank = from.number(v.local_rank, 0, l.size - 1).value_or(0);
  if (l.local_size > 0 && l.local_rank >= l.local_size) {
    throw error(launch_reader::place(v.local_rank), std::to_string(l.local_rank) + " is no rank of the " +
                                                        std::to_string(l.local_size) + " processes of a machine (" +
                                                        v.local_size + ")");
  }
  if (l.local_size == 0) l.local_size = l.local_rank + 1;
  return l;
}

/// The first machine of a list as SLURM writes it: "a3-[07-10,12],b1" is a3-07. Empty where the list is none.
inline std::string first_host(std::string_view list) {
  const std::size_t open = list.find('['), comma = list.find(',');
  if (open == std::string_view::npos || comma < open) return std::string(list.substr(0, comma));
  const std::size_t close = list.find(']', open);
  if (close == std::string_view::npos) return {};
  const std::string_view numbers = list.substr(open + 1, close - open - 1);
  const std::size_t end = list.find(',', close);
  const std::string_view behind = list.substr(close + 1, end == std::string_view::npos ? end : end - close - 1);
  if (numbers.empty() || behind.find_first_of("[]") != std::string_view::npos) return {};
  return std::string(list.substr(0, open)) + std::string(numbers.substr(0, numbers.find_first_of("-,"))) +
         std::string(behind);
}

}  // namespace detail

/// What the environment says, of the first that is there: torchrun (RANK, WORLD_SIZE, ...), Open MPI (OMPI_COMM_WORLD_RANK, ...), MPICH
/// and its kin (PMI_RANK, ...), srun (SLURM_PROCID, ...). MASTER_ADDR and MASTER_PORT are read with each of them; under srun they
/// are else the first machine of the step and a port by the number of the job.
/// \throws trm::error that names the variable: no number, only one of a pair, launchers that contradict each other
inline launch read_launch(const detail::launch_reader::getter& get = [](const char* name) -> const char* {
  return std::getenv(name);
}) {
  const detail::launch_reader from(get);
  launch found;
  const detail::launch_variables* by = nullptr;
  for (const auto& v : detail::launchers) {
    // Under Open MPI or MPICH the variables of srun are those of the daemons that srun has started.
    if (by != nullptr && std::string_view(v.launcher) == "SLURM") break;
    const auto l = detail::read_launch(from, v);
    if (!l) continue;
    if (by == nullptr) {
      found = *l;
      by = &v;
      continue;
    }
    const auto contradiction = [&](const char* a, int x, const char* b, int y) {
      if (x == y) return;
      throw error(detail::launch_reader::place(a), std::to_string(x) + " contradicts " + b + ", " + std::to_string(y) +
                                                       ": unset those of the launcher that is not used");
    };
    contradiction(by->size, found.size, v.size, l->size);
    contradiction(by->rank, found.rank, v.rank, l->rank);
  }
  if (by == nullptr) return found;
  found.address = from.text("MASTER_ADDR").value_or("");
  found.port = from.number("MASTER_PORT", 1, 65535).value_or(0);
  if (found.launcher == "SLURM") {
    if (const auto list = from.text("SLURM_STEP_NODELIST"); list && found.address.empty()) {
      found.address = detail::first_host(*list);
      if (found.address.empty()) {
        throw error(detail::launch_reader::place("SLURM_STEP_NODELIST"),
                    "\"" + detail::launch_reader::printed(*list) + "\" is no list of machines");
      }
    }
    const auto job = from.number("SLURM_JOB_ID", 0, 2147483647);
    if (job && found.port == 0) found.port = 20000 + *job % 20000;
  }
  return found;
}

/// Throws where MPI found another number of processes than the launcher has started, as when each of them believes that it is alone.
inline void require_size(const launch& started, int found) {
  if (started.size == found || started.launcher.empty()) return;
  throw error("MPI", "found " + std::to_string(found) + (found == 1 ? " process" : " processes") + ", but " +
                         started.launcher + " has started " + std::to_string(started.size) +
                         ": start with the mpirun of the MPI that the program was built with (srun: --mpi=pmix)");
}

}  // namespace trm
