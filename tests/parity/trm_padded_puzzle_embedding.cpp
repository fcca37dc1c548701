// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"

TEST_CASE("trm_padded_puzzle_embedding: puzzle rows shorter than their prefix") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_padded_puzzle_embedding.safetensors")) return;
  static constexpr trm::config c{
      .tokens = 16, .vocab = 7, .hidden = 32, .heads = 2, .l_cycles = 2, .puzzle_positions = 2, .puzzle_width = 40};
  trm_test::check_recorded<trm::model<c>>("trm_padded_puzzle_embedding", *trm_test::reference_dir() / "model");
}
