// SPDX-License-Identifier: MIT
// A configuration for a CPU, grids up to 10 x 10.
#include "compiled_model.hpp"

namespace trm_arc {

namespace {
constexpr trm::config description{.tokens = 100,
                                  .vocab = 12,
                                  .hidden = 128,
                                  .heads = 4,
                                  .h_cycles = 2,
                                  .l_cycles = 3,
                                  .puzzle_positions = 4,
                                  .puzzle_width = 512};
}

std::unique_ptr<arc_model> make_small_10() { return std::make_unique<compiled_model<description, float>>("small-10"); }

}  // namespace trm_arc
