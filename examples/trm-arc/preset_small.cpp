// SPDX-License-Identifier: MIT
// A configuration for a CPU, whole ARC grids.
#include "compiled_model.hpp"

namespace trm_arc {

namespace {
constexpr trm::config description{.tokens = 900,
                                  .vocab = 12,
                                  .hidden = 128,
                                  .heads = 4,
                                  .h_cycles = 2,
                                  .l_cycles = 3,
                                  .puzzle_positions = 4,
                                  .puzzle_width = 512};
}

std::unique_ptr<arc_model> make_small() { return std::make_unique<compiled_model<description, float>>("small"); }

}  // namespace trm_arc
