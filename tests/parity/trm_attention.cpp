// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"

TEST_CASE("trm_attention: two states, attention, q_halt") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_attention.safetensors")) return;
  static constexpr trm::config c{
      .tokens = 16, .vocab = 7, .hidden = 64, .heads = 4, .l_cycles = 2, .puzzle_positions = 2, .puzzle_width = 64};
  trm_test::check_recorded<trm::model<c>>("trm_attention", *trm_test::reference_dir() / "model");
}
