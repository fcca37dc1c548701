// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"

TEST_CASE("trm_hier6: six low-level states") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_hier6.safetensors")) return;
  static constexpr trm::config c{.tokens = 16,
                                 .vocab = 7,
                                 .hidden = 32,
                                 .heads = 2,
                                 .h_cycles = 2,
                                 .puzzle_positions = 2,
                                 .puzzle_width = 32,
                                 .architecture = trm::architecture::six_state};
  trm_test::check_recorded<trm::model<c>>("trm_hier6", *trm_test::reference_dir() / "model");
}
