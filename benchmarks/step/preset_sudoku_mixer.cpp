// SPDX-License-Identifier: MIT
// The published model for Sudoku, with the token mixer.
#include "sessions.hpp"

namespace {
using namespace trm_benchmark;

constexpr trm::config mixer() {
  trm::config c = paper(81, 11, 6);
  c.mixing = trm::mixing_kind::tokens;
  c.positions = trm::position_kind::none;
  return c;
}
const registered_model here("sudoku_mixer", make_session<mixer(), false>);
}  // namespace
