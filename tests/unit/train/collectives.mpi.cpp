// SPDX-License-Identifier: MIT
// Run by mpirun.
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "collectives_checks.hpp"
#include "trm/train/agreement.hpp"
#include "trm/train/any_communicator.hpp"
#include "trm/train/launch.hpp"
#include "trm/train/mpi_communicator.hpp"

namespace {

trm::mpi::communicator& world() {
  static trm::mpi::communicator c(std::chrono::seconds(30));
  return c;
}

}  // namespace

TEST_CASE("the processes of mpirun gather, broadcast, and sum to the bits of the sum in rank order") {
  trm_test::check_collectives(world());
}

TEST_CASE("the launcher's variables say what MPI says") {
  const trm::launch l = trm::read_launch();
  CHECK(l.rank == world().rank());
  CHECK(l.size == world().size());
  CHECK_NOTHROW(trm::require_size(l, world().size()));
}

TEST_CASE("messages cross from several communicators without being mistaken for one another") {
  trm::mpi::communicator second;
  trm::collectives a(world()), b(second);
  std::vector<int> v(static_cast<std::size_t>(world().size())), w(v);
  const std::vector<int> mine{world().rank()}, other{100 + world().rank()};
  a.gather(mine, std::span(v));
  b.gather(other, std::span(w));
  for (std::size_t r = 0; r < v.size(); ++r) {
    CHECK(v[r] == static_cast<int>(r));
    CHECK(w[r] == 100 + static_cast<int>(r));
  }
}

TEST_CASE("who does not answer is named") {
  trm::any_communicator c(std::in_place_type<trm::mpi::communicator>, std::chrono::milliseconds(300));
  if (c.rank() != 0) {
    std::byte b{};
    const trm::incoming from_0{0, {&b, 1}};
    CHECK_THROWS_WITH_AS(c.exchange({}, {&from_0, 1}), doctest::Contains("no message of rank 0 in 0 s"), trm::error);
  }
}

TEST_CASE("a disagreement is thrown by all, with the rank and both values") {
  const int last = world().size() - 1;
  const std::string ours = world().rank() == last ? "b" : "a";
  std::string expected = "dataset: a on rank";
  for (int r = 0; r < last; ++r) expected += (r > 0 ? ", " : last > 1 ? "s " : " ") + std::to_string(r);
  expected += ", b on rank " + std::to_string(last) + ": all processes must have the same";
  if (last == 0) return;
  CHECK_THROWS_WITH_AS(trm::require_agreement(world(), {{"version", "1"}, {"dataset", ours}}), expected.c_str(),
                       trm::agreed_error);
}
