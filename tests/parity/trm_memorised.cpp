// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"

TEST_CASE("trm_memorised: a batch that is already solved") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_memorised.safetensors")) return;
  static constexpr trm::config c{
      .tokens = 6, .vocab = 7, .hidden = 32, .heads = 2, .l_cycles = 2, .puzzle_positions = 2, .puzzle_width = 32};
  trm_test::check_recorded<trm::model<c>>("trm_memorised", *trm_test::reference_dir() / "model");
}
