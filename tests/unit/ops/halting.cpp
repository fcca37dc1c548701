// SPDX-License-Identifier: MIT
#include "trm/ops/halting.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "trm/backend/cpu/context.hpp"

namespace {

/// Who halts among samples that all have the same Q values and steps.
std::vector<unsigned char> halted(trm::halting_rule rule, trm::draw_key key, trm::halting_result q, int steps,
                                  int samples) {
  trm::cpu::context<> device(1);
  const trm::call<trm::cpu::context<>> c{device, samples, 1};
  const std::vector<trm::halting_result> all(static_cast<std::size_t>(samples), q);
  const std::vector<int> done(static_cast<std::size_t>(samples), steps);
  std::vector<unsigned char> h(static_cast<std::size_t>(samples), 2);
  trm::ops::halt(c, rule, key, all.data(), done.data(), h.data());
  return h;
}
bool halts(trm::halting_rule rule, trm::halting_result q, int steps) { return halted(rule, {}, q, steps, 1)[0] == 1; }

double share(const std::vector<unsigned char>& h) {
  double n = 0;
  for (unsigned char x : h) n += x;
  return n / static_cast<double>(h.size());
}

constexpr trm::halting_result stop{1e-6f, 3}, go_on{0, -3};

}  // namespace

TEST_CASE("q_halt above 0 halts; 0 does not; the last step always does") {
  const trm::halting_rule rule{4, 0};
  CHECK(halts(rule, stop, 1));
  CHECK_FALSE(halts(rule, go_on, 1));
  CHECK_FALSE(halts(rule, go_on, 3));
  CHECK(halts(rule, go_on, 4));
}

TEST_CASE("with q_continue: q_halt above q_continue halts, whatever its sign") {
  const trm::halting_rule rule{4, 0, true, true};
  CHECK_FALSE(halts(rule, stop, 1));
  CHECK(halts(rule, go_on, 1));
  CHECK(halts(rule, {-2, -2.5f}, 1));
  CHECK_FALSE(halts(rule, {-2, -2}, 1));
  CHECK(halts(rule, stop, 4));
}

TEST_CASE("a fixed number of steps ignores the Q head and the exploration") {
  const trm::halting_rule rule{3, 1.0, false, false};
  CHECK_FALSE(halts(rule, stop, 1));
  CHECK_FALSE(halts(rule, stop, 2));
  CHECK(share(halted(rule, {}, stop, 3, 50)) == 1);
  CHECK(share(halted(rule, {}, go_on, 3, 50)) == 1);
}

TEST_CASE("one step at most: every sample halts, also with exploration") {
  CHECK(share(halted({1, 1.0}, {}, go_on, 1, 50)) == 1);
  CHECK(share(halted({1, 0.0}, {}, stop, 1, 50)) == 1);
}

TEST_CASE("exploration draws the least number of steps uniformly from 2 to the most") {
  const trm::halting_rule always{6, 1.0};
  constexpr int n = 20000;
  // halted after s steps: the minimum is at most s; 5 values are possible
  for (int s = 1; s <= 6; ++s) {
    const double p = share(halted(always, {7, 1, 0}, stop, s, n));
    INFO("after ", s, " steps: ", p);
    CHECK(std::abs(p - (s - 1) / 5.0) <= (s == 1 || s == 6 ? 0 : 0.015));
  }
  // of those with a probability of 0.1 to be made to go on, at the first step
  const double p = share(halted({6, 0.1}, {7, 1, 0}, stop, 1, n));
  CHECK(p == doctest::Approx(0.9).epsilon(0.01));
  CHECK(share(halted({6, 0.0}, {7, 1, 0}, stop, 1, n)) == 1);
}

TEST_CASE("exploration keeps no sample beyond the most steps, and halts none that would go on") {
  CHECK(share(halted({6, 1.0}, {3, 9, 0}, go_on, 6, 500)) == 1);
  CHECK(share(halted({6, 1.0}, {3, 9, 0}, go_on, 5, 500)) == 0);
  CHECK(share(halted({2, 1.0}, {3, 9, 0}, stop, 1, 500)) == 0);
  CHECK(share(halted({2, 1.0}, {3, 9, 0}, stop, 2, 500)) == 1);
}

TEST_CASE("a draw is a function of seed, step and the sample's number in the global batch") {
  const trm::halting_rule rule{9, 0.5};
  const auto all = halted(rule, {5, 2, 0}, stop, 3, 64);
  CHECK(all == halted(rule, {5, 2, 0}, stop, 3, 64));
  CHECK(all != halted(rule, {6, 2, 0}, stop, 3, 64));
  CHECK(all != halted(rule, {5, 3, 0}, stop, 3, 64));
  const auto upper = halted(rule, {5, 2, 32}, stop, 3, 32);
  CHECK(std::vector<unsigned char>(all.begin() + 32, all.end()) == upper);
}
