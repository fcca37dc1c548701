// SPDX-License-Identifier: MIT
#include "trm/train/metrics.hpp"

#include <doctest/doctest.h>

TEST_CASE("what is counted for a sample that halted") {
  trm::step_metrics m;
  m.add({1.5, 4, 3}, {0.5f, 0, 0.25, 0.125}, 7, true);  // three of four right, Q says right: wrongly
  CHECK(m.count == 1);
  CHECK(m.accuracy == 0.75);
  CHECK(m.exact_accuracy == 0);
  CHECK(m.q_halt_accuracy == 0);
  CHECK(m.steps == 7);
  CHECK(m.loss() == 1.5 + 0.5 * (0.25 + 0.125));
  m.add({0.5, 2, 2}, {0, 0, 0.25, 0}, 2, true);  // all right; q_halt of 0 says right, as published
  CHECK(m.count == 2);
  CHECK(m.accuracy == 1.75);
  CHECK(m.exact_accuracy == 1);
  CHECK(m.q_halt_accuracy == 1);
  CHECK(m.steps == 9);
  m.add({0.5, 2, 1}, {-0.5f, 0, 0, 0}, 1, true);  // wrong, and Q knows
  CHECK(m.q_halt_accuracy == 2);
}

TEST_CASE("losses are summed over all samples, the rest over those that halted and have labels") {
  trm::step_metrics m;
  m.add({2, 4, 4}, {1, 0, 3, 4}, 5, false);
  m.add({0, 0, 0}, {1, 0, 5, 6}, 5, true);
  CHECK(m.count == 0);
  CHECK(m.steps == 0);
  CHECK(m.accuracy == 0);
  CHECK(m.exact_accuracy == 0);
  CHECK(m.lm_loss == 2);
  CHECK(m.q_halt_loss == 8);
  CHECK(m.q_continue_loss == 10);
  CHECK(m.loss() == 2 + 0.5 * 18);
}

TEST_CASE("sums of steps") {
  trm::step_metrics a, b;
  a.add({1, 2, 2}, {1, 0, 0.5, 0.25}, 3, true);
  b.add({2, 4, 1}, {1, 0, 1, 2}, 4, true);
  a += b;
  CHECK(a.count == 2);
  CHECK(a.accuracy == 1.25);
  CHECK(a.exact_accuracy == 1);
  CHECK(a.q_halt_accuracy == 1);
  CHECK(a.steps == 7);
  CHECK(a.lm_loss == 3);
  CHECK(a.q_halt_loss == 1.5);
  CHECK(a.q_continue_loss == 2.25);
}

TEST_CASE("means are over the samples that are counted, and 0 without one") {
  trm::step_metrics m;
  CHECK(m.mean_accuracy() == 0);
  CHECK(m.mean_steps() == 0);
  m.add({1, 2, 2}, {1, 0, 0, 0}, 3, true);
  m.add({2, 4, 1}, {1, 0, 0, 0}, 4, true);
  m.add({2, 4, 4}, {1, 0, 0, 0}, 9, false);
  CHECK(m.mean_accuracy() == 0.625);
  CHECK(m.mean_exact_accuracy() == 0.5);
  CHECK(m.mean_q_halt_accuracy() == 0.5);
  CHECK(m.mean_steps() == 3.5);
}
