// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"

TEST_CASE("trm_causal: causal mask, no puzzle rows") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_causal.safetensors")) return;
  static constexpr trm::config c{
      .tokens = 24, .vocab = 7, .hidden = 32, .heads = 2, .h_cycles = 2, .l_cycles = 3, .mask = trm::mask_kind::causal};
  const std::filesystem::path folder = *trm_test::reference_dir() / "model";
  // Its sixth step amplifies one direction a hundredfold: of twelve disturbances some move the last weights by 5e-7, some by 5e-5. The
  // bound of the recording is ten times one of them, which moved them by 2e-6.
  const trm_test::disturbed measured = trm_test::disturbed_distance<trm::model<c>>("trm_causal", folder, 12);
  CAPTURE(measured.weights);
  CHECK(measured.weights > 1e-5);
  trm::cpu::context<> device(1);
  trm_test::check_recorded_on<trm::model<c>>(device, "trm_causal", folder, std::numeric_limits<std::size_t>::max(),
                                             measured);
}
