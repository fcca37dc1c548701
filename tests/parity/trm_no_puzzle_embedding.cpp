// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"

TEST_CASE("trm_no_puzzle_embedding: no puzzle rows") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_no_puzzle_embedding.safetensors")) return;
  static constexpr trm::config c{.tokens = 16, .vocab = 7, .hidden = 32, .heads = 2, .l_cycles = 2};
  trm_test::check_recorded<trm::model<c>>("trm_no_puzzle_embedding", *trm_test::reference_dir() / "model");
}
