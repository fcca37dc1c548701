// SPDX-License-Identifier: MIT
#include "unit/train/trainer_checks.hpp"

namespace {
constexpr trm::config described{.tokens = 9,
                                .vocab = 11,
                                .hidden = 32,
                                .h_cycles = 2,
                                .l_cycles = 2,
                                .puzzle_positions = 1,
                                .puzzle_width = 32,
                                .mixing = trm::mixing_kind::tokens,
                                .positions = trm::position_kind::none,
                                .halting = trm::halting_kind::q_continue};
using model = trm::model<described, float>;
}  // namespace

TEST_CASE("token mixer, float32: a run repeats bit for bit, whatever the number of threads") {
  trm_test::check_deterministic<model>();
}

TEST_CASE("token mixer, float32: micro-batches") { trm_test::check_micro_batches<model>(1e-5); }

TEST_CASE("token mixer, float32: a step takes no memory") {
  trm_test::check_no_allocation<model>(1);
  trm_test::check_no_allocation<model>(2);
}

TEST_CASE("token mixer, float32: the plan says what the constructor takes") { trm_test::check_plan_bytes<model>(); }
