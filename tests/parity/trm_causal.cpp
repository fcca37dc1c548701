// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"

TEST_CASE("trm_causal: causal mask, no puzzle rows") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_causal.safetensors")) return;
  static constexpr trm::config c{
      .tokens = 24, .vocab = 7, .hidden = 32, .heads = 2, .h_cycles = 2, .l_cycles = 3, .mask = trm::mask_kind::causal};
  trm_test::check_recorded<trm::model<c>>("trm_causal", *trm_test::reference_dir() / "model");
}
