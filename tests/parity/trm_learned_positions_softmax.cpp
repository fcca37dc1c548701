// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"

TEST_CASE("trm_learned_positions_softmax: learned positions, softmax loss") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_learned_positions_softmax.safetensors")) return;
  static constexpr trm::config c{.tokens = 16,
                                 .vocab = 7,
                                 .hidden = 32,
                                 .heads = 2,
                                 .l_cycles = 2,
                                 .puzzle_positions = 2,
                                 .puzzle_width = 32,
                                 .positions = trm::position_kind::learned,
                                 .loss = trm::loss_kind::softmax};
  trm_test::check_recorded<trm::model<c>>("trm_learned_positions_softmax", *trm_test::reference_dir() / "model");
}
