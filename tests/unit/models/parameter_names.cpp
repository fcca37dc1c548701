// SPDX-License-Identifier: MIT
// Names and shapes of every architecture's tensors against the state dicts of the published implementation.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "support/reference.hpp"
#include "trm/io/safetensors.hpp"
#include "trm/models/model.hpp"

namespace {

using shapes = std::map<std::string, std::vector<std::int64_t>>;

template <class Model>
shapes ours(std::int64_t identifiers) {
  shapes s;
  const auto add = [&](const auto& table) {
    for (const trm::parameter_entry& e : table) s[std::string(e.name())] = {e.extents, e.extents + e.rank};
  };
  add(Model::table), add(Model::constant_table);
  if (Model::W > 0) s[Model::puzzle_table_name] = {identifiers, Model::W};
  return s;
}

constexpr trm::config base{
    .tokens = 16, .vocab = 7, .hidden = 32, .heads = 2, .l_cycles = 2, .puzzle_positions = 2, .puzzle_width = 32};
template <class Change>
constexpr trm::config with(Change change) {
  trm::config c = base;
  change(c);
  return c;
}

template <trm::config C>
void check_names(const char* name) {
  const std::string path = "model/" + std::string(name) + ".safetensors";
  if (!trm_test::available(trm_test::reference_dir(), path)) return;
  INFO(name);
  const trm::safetensors_file file = trm::safetensors_file::open(*trm_test::reference_dir() / path);
  shapes theirs;
  for (const auto& tensor : file.names()) {
    if (tensor.rfind("init.", 0) == 0) theirs[tensor.substr(5)] = file.view(tensor).shape;
  }
  const shapes mine = ours<trm::model<C>>(10);
  CHECK(theirs.size() == mine.size());
  for (const auto& wanted : theirs) {
    INFO(wanted.first);
    REQUIRE(mine.count(wanted.first) == 1);
    CHECK(mine.at(wanted.first) == wanted.second);
  }
}

}  // namespace

TEST_CASE("published names and shapes") {
  check_names<base>("trm_bf16");
  check_names<with([](auto& c) { c.hidden = c.puzzle_width = 64, c.heads = 4; })>("trm_attention");
  check_names<with([](auto& c) { c.mixing = trm::mixing_kind::tokens, c.positions = trm::position_kind::none; })>(
      "trm_mlp_mixer");
  check_names<with([](auto& c) { c.positions = trm::position_kind::learned; })>("trm_learned_positions_softmax");
  check_names<with([](auto& c) { c.puzzle_width = 40; })>("trm_padded_puzzle_embedding");
  check_names<with([](auto& c) { c.puzzle_positions = c.puzzle_width = 0; })>("trm_no_puzzle_embedding");
  check_names<with([](auto& c) { c.architecture = trm::architecture::single_state; })>("trm_single_z");
  check_names<with([](auto& c) { c.architecture = trm::architecture::six_state; })>("trm_hier6");
  check_names<with([](auto& c) { c.architecture = trm::architecture::hrm, c.puzzle_positions = 1; })>("hrm");
}
