// SPDX-License-Identifier: MIT
#include "trm/train/agreement.hpp"

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/thread_ranks.hpp"
#include "support/throws.hpp"
#include "trm/train/any_communicator.hpp"

using ranks = trm_test::thread_ranks;

namespace {

/// What each of three ranks throws where rank r has values[r] for a fact; all must throw the same.
std::string thrown_by_all(const char* name, const std::array<std::string, 3>& values) {
  std::array<std::string, 3> thrown;
  ranks::run(3, [&](ranks::communicator& c) {
    const auto r = static_cast<std::size_t>(c.rank());
    thrown[r] = trm_test::error_of([&] {
      trm::require_agreement(c, {{"version", "1.0"}, {name, values[r]}, {"seed", "7"}});
    });
  });
  CHECK(thrown[0] == thrown[1]);
  CHECK(thrown[0] == thrown[2]);
  return thrown[0];
}

}  // namespace

TEST_CASE("the rank that differs is named, with its value and that of the others") {
  CHECK(thrown_by_all("dataset", {"a", "a", "b"}) ==
        "dataset: a on ranks 0, 1, b on rank 2: all processes must have the same");
  CHECK(thrown_by_all("dataset", {"a", "", "c"}) ==
        "dataset: a on rank 0, nothing on rank 1, c on rank 2: all processes must have the same");
  CHECK(thrown_by_all("dataset", {"a", "a", "a"}) == "(no error)");
}

TEST_CASE("facts of other names are a disagreement and not a hang") {
  ranks::run(2, [](ranks::communicator& c) {
    std::vector<trm::fact> facts{{"version", "1"}};
    if (c.rank() == 1) facts.push_back({"dataset", "x"});
    trm_test::check_error([&] { trm::require_agreement(c, facts); },
                          "facts to agree on: version  on rank 0, version dataset  on rank 1");
  });
}

TEST_CASE("what fails on one rank is thrown by all, and names it") {
  ranks::run(3, [](ranks::communicator& c) {
    const std::string thrown = trm_test::error_of([&] {
      trm::together(c, [&] {
        if (c.rank() == 1) throw trm::error("data/train", "there is no such folder");
      });
    });
    CHECK(thrown == "rank 1: data/train: there is no such folder");
    CHECK(trm_test::error_of([&] { trm::together(c, [] { throw trm::error("x", "y"); }); }) == "x: y");
    CHECK_NOTHROW(trm::together(c, [] {}));
  });
}

TEST_CASE("what the first process finds, or throws, all have") {
  ranks::run(3, [](ranks::communicator& c) {
    CHECK(trm::by_first(c, [&] { return std::string(c.rank() == 0 ? "found" : "?"); }) == "found");
    CHECK(trm::by_first(c, [&] { return std::string(); }).empty());
    CHECK(trm_test::error_of([&] {
            trm::by_first(c, [&]() -> std::string { throw trm::error("run", "is another's"); });
          }) == "run: is another's");
  });
}

TEST_CASE("a process alone agrees with itself and throws what was thrown") {
  trm::any_communicator alone;
  CHECK(alone.size() == 1);
  CHECK_NOTHROW(trm::require_agreement(alone, {{"version", "1"}}));
  CHECK_THROWS_AS(trm::together(alone, [] { throw 3; }), int);
}
