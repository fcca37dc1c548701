// SPDX-License-Identifier: MIT
#include "trm/train/launch.hpp"

#include <map>
#include <string>

#include <doctest/doctest.h>

#include "support/throws.hpp"

namespace {

using environment = std::map<std::string, std::string>;

trm::launch read(const environment& e) {
  return trm::read_launch([&](const char* name) {
    const auto at = e.find(name);
    return at == e.end() ? nullptr : at->second.c_str();
  });
}
std::string refusal(const environment& e) {
  return trm_test::error_of([&] { read(e); });
}

}  // namespace

TEST_CASE("without a launcher a process is alone") {
  const trm::launch l = read({{"MASTER_ADDR", "x"}, {"SLURM_JOB_ID", "9"}});
  CHECK(l.launcher.empty());
  CHECK(l.rank == 0);
  CHECK(l.size == 1);
  CHECK(l.address.empty());
}

TEST_CASE("torchrun") {
  const trm::launch l = read({{"RANK", "5"},
                              {"WORLD_SIZE", "8"},
                              {"LOCAL_RANK", "1"},
                              {"LOCAL_WORLD_SIZE", "4"},
                              {"MASTER_ADDR", "10.0.0.1"},
                              {"MASTER_PORT", "29500"}});
  CHECK(l.launcher == "torchrun");
  CHECK(l.rank == 5);
  CHECK(l.size == 8);
  CHECK(l.local_rank == 1);
  CHECK(l.local_size == 4);
  CHECK(l.address == "10.0.0.1");
  CHECK(l.port == 29500);
}

TEST_CASE("Open MPI, also where srun started its daemons") {
  const environment e{
      {"OMPI_COMM_WORLD_RANK", "2"},       {"OMPI_COMM_WORLD_SIZE", "3"}, {"OMPI_COMM_WORLD_LOCAL_RANK", "0"},
      {"OMPI_COMM_WORLD_LOCAL_SIZE", "1"}, {"SLURM_PROCID", "1"},         {"SLURM_STEP_NUM_TASKS", "2"}};
  const trm::launch l = read(e);
  CHECK(l.launcher == "Open MPI");
  CHECK(l.rank == 2);
  CHECK(l.size == 3);
  CHECK(l.local_size == 1);
}

TEST_CASE("srun, its first machine and a port by the job's number") {
  const environment e{{"SLURM_PROCID", "3"},
                      {"SLURM_NTASKS", "9"},
                      {"SLURM_STEP_NUM_TASKS", "4"},
                      {"SLURM_LOCALID", "1"},
                      {"SLURM_STEP_NODELIST", "gpu-a[07-09,12],login"},
                      {"SLURM_JOB_ID", "4711123"}};
  const trm::launch l = read(e);
  CHECK(l.launcher == "SLURM");
  CHECK(l.rank == 3);
  CHECK(l.size == 4);
  CHECK(l.local_rank == 1);
  CHECK(l.address == "gpu-a07");
  CHECK(l.port == 20000 + 4711123 % 20000);
}

TEST_CASE("a batch script that srun did not start is alone, for all that SLURM has set") {
  CHECK(read({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}, {"SLURM_JOB_ID", "1"}}).size == 1);
}

TEST_CASE("the first of a list of machines") {
  using trm::detail::first_host;
  CHECK(first_host("a") == "a");
  CHECK(first_host("a,b[1-2]") == "a");
  CHECK(first_host("n[3]") == "n3");
  CHECK(first_host("n[003-9].x,m") == "n003.x");
  CHECK(first_host("n[3") == "");
  CHECK(first_host("n[]") == "");
  CHECK(first_host("[") == "");
  CHECK(first_host("") == "");
}

TEST_CASE("garbage is refused with the variable's name") {
  CHECK(refusal({{"RANK", "x"}, {"WORLD_SIZE", "2"}}) ==
        "environment variable RANK: \"x\" is no whole number from 0 to 1048576");
  CHECK(refusal({{"RANK", "0"}, {"WORLD_SIZE", "2 "}}) ==
        "environment variable WORLD_SIZE: \"2 \" is no whole number from 1 to 1048576");
  CHECK(refusal({{"RANK", "0"}}) == "environment variable WORLD_SIZE: is not set, but RANK is: both or neither");
  CHECK(refusal({{"WORLD_SIZE", "1"}}) == "environment variable RANK: is not set, but WORLD_SIZE is: both or neither");
  CHECK(refusal({{"RANK", "2"}, {"WORLD_SIZE", "2"}}) ==
        "environment variable RANK: 2 is no rank of 2 processes (WORLD_SIZE)");
  CHECK(refusal({{"RANK", "0"}, {"WORLD_SIZE", "99999999999999999999"}}).find("is no whole number") !=
        std::string::npos);
  CHECK(refusal({{"RANK", "1"}, {"WORLD_SIZE", "4"}, {"LOCAL_RANK", "3"}, {"LOCAL_WORLD_SIZE", "2"}}) ==
        "environment variable LOCAL_RANK: 3 is no rank of the 2 processes of a machine (LOCAL_WORLD_SIZE)");
  CHECK(refusal({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_PORT", "0"}}) ==
        "environment variable MASTER_PORT: \"0\" is no whole number from 1 to 65535");
  CHECK(refusal({{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_STEP_NODELIST", "a[\n"}}) ==
        "environment variable SLURM_STEP_NODELIST: \"a[?\" is no list of machines");
}

TEST_CASE("launchers that contradict each other are refused") {
  environment e{{"RANK", "0"}, {"WORLD_SIZE", "1"}, {"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}};
  CHECK(
      refusal(e) ==
      "environment variable WORLD_SIZE: 1 contradicts OMPI_COMM_WORLD_SIZE, 2: unset those of the launcher that is not "
      "used");
  e["WORLD_SIZE"] = "2";
  CHECK(read(e).launcher == "torchrun");
}

TEST_CASE("processes that each believe to be alone are told how to be started") {
  CHECK_NOTHROW(trm::require_size({}, 1));
  CHECK_NOTHROW(trm::require_size(read({{"RANK", "0"}, {"WORLD_SIZE", "4"}}), 4));
  trm_test::check_error(
      [] {
        trm::require_size(read({{"RANK", "0"}, {"WORLD_SIZE", "4"}}), 1);
      },
      "MPI: found 1 process, but torchrun has started 4");
}
