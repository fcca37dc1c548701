// SPDX-License-Identifier: MIT
#include "../../../examples/program/retention.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "support/throws.hpp"

namespace {

using program::kept_checkpoint;
using program::retention_policy;
using program::to_delete;
using steps = std::vector<long long>;

std::vector<kept_checkpoint> at_steps(const steps& all) {
  std::vector<kept_checkpoint> list;
  for (const long long s : all) list.push_back({.step = s});
  return list;
}

TEST_CASE("the newest, and every k-th") {
  const auto ten = at_steps({10, 20, 30, 40, 50, 60, 70, 80, 90, 100});
  CHECK(to_delete(ten, {}).empty());
  CHECK(to_delete(ten, {.every = 50}).empty());  // all are among the newest
  CHECK(to_delete(ten, {.newest = 3}) == steps{10, 20, 30, 40, 50, 60, 70});
  CHECK(to_delete(ten, {.newest = 1, .every = 40}) == steps{10, 20, 30, 50, 60, 70, 90});
  CHECK(to_delete(ten, {.newest = 10}).empty());
  CHECK(to_delete(ten, {.newest = 11}).empty());
  CHECK(to_delete({}, {.newest = 1}).empty());
  CHECK(to_delete(at_steps({7}), {.newest = 1}).empty());
}

TEST_CASE("the newest is that of the latest time, whatever the order of the list") {
  const std::vector<kept_checkpoint> list{{.step = 30, .time = 5}, {.step = 10, .time = 9}, {.step = 20, .time = 7}};
  CHECK(to_delete(list, {.newest = 1}) == steps{20, 30});
  CHECK(to_delete(list, {.newest = 2}) == steps{30});
}

TEST_CASE("the best by a metric: losses the less, others the more, of equal ones the first") {
  const std::vector<kept_checkpoint> list{{.step = 1},
                                          {.step = 2, .value = 0.5},
                                          {.step = 3, .value = 0.9},
                                          {.step = 4, .value = 0.9},
                                          {.step = 5, .value = 0.7},
                                          {.step = 6}};
  CHECK(to_delete(list, {.newest = 1, .metric = "test/all/exact_accuracy"}) == steps{1, 2, 4, 5});
  CHECK(to_delete(list, {.newest = 1, .metric = "test/all/lm_loss"}) == steps{1, 3, 4, 5});
  CHECK(to_delete(list, {.newest = 1}) == steps{1, 2, 3, 4, 5});
  CHECK(to_delete(at_steps({1, 2}), {.newest = 1, .metric = "ARC/pass@2"}) == steps{1});  // none was evaluated
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(to_delete({{.step = 1, .value = nan}, {.step = 2, .value = 0.1}, {.step = 3, .value = nan}, {.step = 4}},
                  {.newest = 1, .metric = "ARC/pass@2"}) == steps{1, 3});
}

TEST_CASE("a metric's value, or which there are") {
  const program::flat_numbers metrics{{"ARC/pass@2", 0.25}, {"test/all/lm_loss", 1}};
  CHECK(program::metric_value(metrics, "ARC/pass@2") == 0.25);
  trm_test::check_error([&] { program::metric_value(metrics, "ARC/pass@3"); },
                        "metric \"ARC/pass@3\": there is none of this name, but: ARC/pass@2, test/all/lm_loss");
  trm_test::check_error([&] { program::metric_value({}, "a\nb"); },
                        "metric \"a?b\": there is none of this name, but: none at all");
}

TEST_CASE("a run ends after so many evaluations that are no better") {
  const auto ends_after = [](const std::string& metric, std::int64_t patience, const std::vector<double>& values) {
    program::improvement so_far(metric, patience);
    for (std::size_t i = 0; i < values.size(); ++i) {
      so_far.add({{metric, values[i]}});
      if (so_far.stop()) return static_cast<int>(i) + 1;
    }
    return 0;
  };
  CHECK(ends_after("ARC/pass@2", 2, {0.1, 0.3, 0.2, 0.4, 0.4, 0.3}) == 6);
  CHECK(ends_after("ARC/pass@2", 1, {0.1, 0.2, 0.2}) == 3);
  CHECK(ends_after("test/all/lm_loss", 2, {3, 2, 1, 2, 0.5}) == 0);
  CHECK(ends_after("test/all/lm_loss", 2, {3, 2, 2, 4}) == 4);
  CHECK(ends_after("test/all/lm_loss", 0, {1, 2, 3, 4}) == 0);
  program::improvement so_far("ARC/pass@2", 1);
  CHECK_FALSE(so_far.best());
  CHECK(so_far.add({{"ARC/pass@2", 0.5}}));
  CHECK_FALSE(so_far.add({{"ARC/pass@2", 0.5}}));
  CHECK(so_far.best() == 0.5);
  trm_test::check_error([&] { so_far.add({{"ARC/pass@1", 0.5}}); }, "metric \"ARC/pass@2\": there is none");
}

}  // namespace
