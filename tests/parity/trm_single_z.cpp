// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"

TEST_CASE("trm_single_z: one state") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_single_z.safetensors")) return;
  static constexpr trm::config c{.tokens = 16,
                                 .vocab = 7,
                                 .hidden = 32,
                                 .heads = 2,
                                 .l_cycles = 2,
                                 .puzzle_positions = 2,
                                 .puzzle_width = 32,
                                 .architecture = trm::architecture::single_state};
  trm_test::check_recorded<trm::model<c>>("trm_single_z", *trm_test::reference_dir() / "model");
}
