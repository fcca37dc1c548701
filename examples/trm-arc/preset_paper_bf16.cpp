// SPDX-License-Identifier: MIT
// The published ARC configuration, bf16 as published.
#include "compiled_model.hpp"

namespace trm_arc {

namespace {
constexpr trm::config description{.tokens = 900,
                                  .vocab = 12,
                                  .hidden = 512,
                                  .heads = 8,
                                  .h_cycles = 3,
                                  .l_cycles = 4,
                                  .puzzle_positions = 16,
                                  .puzzle_width = 512};
}

std::unique_ptr<arc_model> make_paper_bf16() {
  return std::make_unique<compiled_model<description, trm::bf16>>("paper-bf16");
}

}  // namespace trm_arc
