// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"

TEST_CASE("trm_mlp_mixer: token mixer") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_mlp_mixer.safetensors")) return;
  static constexpr trm::config c{.tokens = 16,
                                 .vocab = 7,
                                 .hidden = 32,
                                 .l_cycles = 2,
                                 .puzzle_positions = 2,
                                 .puzzle_width = 32,
                                 .mixing = trm::mixing_kind::tokens,
                                 .positions = trm::position_kind::none};
  trm_test::check_recorded<trm::model<c>>("trm_mlp_mixer", *trm_test::reference_dir() / "model");
}
