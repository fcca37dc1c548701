// SPDX-License-Identifier: MIT
// The published model for ARC: grids of up to 30 x 30.
#include "sessions.hpp"

namespace {
using namespace trm_benchmark;
const registered_model here("arc", make_session<paper(900, 12, 4), false>);
}  // namespace
