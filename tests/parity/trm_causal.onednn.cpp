// SPDX-License-Identifier: MIT
// The recorded numbers do not depend on who multiplies matrices: the first two steps, and the evaluation.
#include "parity/recorded.hpp"
#include "trm/backend/cpu/onednn_product.hpp"

TEST_CASE("trm_causal with the products of oneDNN") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_causal.safetensors")) return;
  static constexpr trm::config c{
      .tokens = 24, .vocab = 7, .hidden = 32, .heads = 2, .h_cycles = 2, .l_cycles = 3, .mask = trm::mask_kind::causal};
  trm_test::check_recorded<trm::model<c>, trm::cpu::context<trm::cpu::onednn_product>>(
      "trm_causal", *trm_test::reference_dir() / "model", 2, 2);
}
