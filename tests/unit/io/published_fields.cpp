// SPDX-License-Identifier: MIT
#include "trm/io/published_fields.hpp"

#include <doctest/doctest.h>

using trm::config;

namespace {

constexpr config arc{
    .tokens = 900, .vocab = 12, .hidden = 512, .heads = 8, .puzzle_positions = 16, .puzzle_width = 512};

/// Read back as the published configuration that it says it is.
void comes_back(const config& c) {
  const auto fields = trm::published_fields(c);
  REQUIRE(fields);
  const config back =
      trm::published_config(fields->at("arch"), fields->at("fields"), fields->at("loss_type"), "fields");
  CHECK(trm::to_json(back) == trm::to_json(c));
}

}  // namespace

TEST_CASE("published names of the published models, read back") {
  comes_back(arc);
  CHECK(trm::published_fields(arc)->at("fields").at("hidden_size") == 512);
  CHECK(trm::published_fields(arc)->at("arch") == "trm");
  config c = arc;
  c.architecture = trm::architecture::single_state, c.halting = trm::halting_kind::q_continue;
  comes_back(c);
  c.mixing = trm::mixing_kind::tokens, c.heads = 0, c.positions = trm::position_kind::none;
  c.loss = trm::loss_kind::softmax;
  comes_back(c);
  c = arc;
  c.puzzle_positions = 0, c.puzzle_width = 0;  // the published code takes as many positions as the row fills: none
  comes_back(c);
  c = arc;
  c.architecture = trm::architecture::hrm, c.puzzle_positions = 1, c.layers = 4, c.h_layers = 3;
  comes_back(c);
  c.architecture = trm::architecture::transformer, c.h_layers = 0, c.halting = trm::halting_kind::fixed;
  c.l_cycles = config{}.l_cycles;
  comes_back(c);
  CHECK(std::string(trm::published_class(c.architecture)) == "Model_ACTV2");
}

TEST_CASE("what the published code cannot be has no published names") {
  config c = arc;
  c.width_multiple = 64;
  CHECK_FALSE(trm::published_fields(c));
  c = arc;
  c.mask = trm::mask_kind::causal;
  CHECK_FALSE(trm::published_fields(c));
  c = arc;
  c.architecture = trm::architecture::hrm;  // its row fills one position, not sixteen
  CHECK_FALSE(trm::published_fields(c));
}
