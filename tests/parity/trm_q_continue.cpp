// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"

TEST_CASE("trm_q_continue: q_continue") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_q_continue.safetensors")) return;
  static constexpr trm::config c{.tokens = 16,
                                 .vocab = 7,
                                 .hidden = 32,
                                 .heads = 2,
                                 .l_cycles = 2,
                                 .puzzle_positions = 2,
                                 .puzzle_width = 32,
                                 .halting = trm::halting_kind::q_continue};
  trm_test::check_recorded<trm::model<c>>("trm_q_continue", *trm_test::reference_dir() / "model");
}
