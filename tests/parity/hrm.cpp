// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"

TEST_CASE("hrm: two networks, one-step gradient, q_continue") {
  if (!trm_test::available(trm_test::reference_dir(), "model/hrm.safetensors")) return;
  static constexpr trm::config c{.tokens = 16,
                                 .vocab = 7,
                                 .hidden = 32,
                                 .heads = 2,
                                 .h_cycles = 2,
                                 .l_cycles = 2,
                                 .puzzle_positions = 1,
                                 .puzzle_width = 32,
                                 .architecture = trm::architecture::hrm};
  trm_test::check_recorded<trm::model<c>>("hrm", *trm_test::reference_dir() / "model");
}
