// SPDX-License-Identifier: MIT
#include "trm/io/infer_config.hpp"

#include <doctest/doctest.h>

#include "support/reference.hpp"
#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/io/weights.hpp"
#include "trm/models/model.hpp"

namespace {

using trm::architecture;
using trm::mixing_kind;

constexpr trm::config tiny{.tokens = 3,
                           .vocab = 5,
                           .hidden = 4,
                           .heads = 1,
                           .layers = 2,
                           .width_multiple = 2,
                           .puzzle_positions = 1,
                           .puzzle_width = 3,
                           .positions = trm::position_kind::learned};
using model = trm::model<tiny>;
constexpr const char* embedding = "model.inner.embed_tokens.embedding_weight";

/// A file of tiny's tensors, changed before it is written.
template <class Change>
trm::safetensors_file tensors(const trm_test::temporary_folder& folder, Change change) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const auto& t : trm::expected_tensors<model>()) shapes[t.name] = t.shape;
  shapes[model::puzzle_table_name] = {9, 3};
  change(shapes);
  static const std::vector<float> zeros(4096);
  trm::safetensors_writer out;
  for (const auto& [name, shape] : shapes) {
    std::size_t count = 1;
    for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
    out.add(name, shape, std::span<const float>(zeros).first(count));
  }
  out.save(folder / "f");
  return trm::safetensors_file::open(folder / "f");
}
const auto unchanged = [](auto&) {};

TEST_CASE("a compiled model's own tensors are its own, and say what can be said") {
  const trm_test::temporary_folder folder;
  const auto file = tensors(folder, unchanged);
  trm::check_tensors(file, trm::expected_tensors<model>());
  const trm::inferred_config c = trm::infer_config(file);
  CHECK(!trm::difference(c, tiny));
  CHECK(c.puzzle_rows == 9);
  CHECK(trm::to_text(c) ==
        "architecture trm, vocab 5, hidden 4, layers 2, mixing attention, learned positions, length 4, inner width 12, "
        "puzzle width 3");
}

TEST_CASE("tensors that differ are named with both shapes") {
  const trm_test::temporary_folder folder;
  const auto checking = [&](auto change) {
    const auto file = tensors(folder, change);
    const std::string text = trm_test::error_of([&] { trm::check_tensors(file, trm::expected_tensors<model>()); });
    const std::string place = (folder / "f").string() + ": tensor ";
    return text.starts_with(place) ? text.substr(place.size()) : text;
  };
  CHECK(checking(unchanged) == "(no error)");
  CHECK(checking([](auto& t) {
          t[embedding] = {4, 5};
        }) == std::string(embedding) + ": expected shape [5, 4], found [4, 5]");
  CHECK(checking([](auto& t) {
          t["model.inner.H_init"] = {4, 1};
        }) == "model.inner.H_init: expected shape [4], found [4, 1]");
  CHECK(checking([](auto& t) { t.erase("model.inner.L_level.layers.1.mlp.down_proj.weight"); }) ==
        "model.inner.L_level.layers.1.mlp.down_proj.weight: is not in the file (which has architecture trm, vocab 5, "
        "hidden "
        "4, layers 2, mixing attention, learned positions, length 4, inner width 12, puzzle width 3)");
  CHECK(checking([](auto& t) {
          t["model.inner.L_level.layers.2.x"] = {2, 3};
        }) == "model.inner.L_level.layers.2.x: the compiled model has no such tensor; found shape [2, 3]");
  CHECK(checking([](auto& t) { t["optimizer.state.0"] = {7}; }) == "(no error)");
  CHECK(checking([](auto& t) { t.clear(); }).find("is not in the file (which has nothing of a model)") !=
        std::string::npos);
}

TEST_CASE("a puzzle table of another width, or for a model without puzzle rows") {
  const trm_test::temporary_folder folder;
  const auto file = tensors(folder, unchanged);
  trm::check_puzzle_table(nullptr, 7);
  trm::check_puzzle_table(&file, 3);
  const std::string place = (folder / "f").string() + ": tensor model.inner.puzzle_emb.weights: ";
  trm_test::check_error([&] { trm::check_puzzle_table(&file, 4); }, place + "expected shape [rows, 4], found [9, 3]");
  trm_test::check_error([&] { trm::check_puzzle_table(&file, 0); },
                        place + "the compiled model has no puzzle rows; found shape [9, 3]");
}

TEST_CASE("the first fact in which a configuration differs") {
  const trm_test::temporary_folder folder;
  const trm::inferred_config c = trm::infer_config(tensors(folder, unchanged));
  const auto with = [&](auto change) {
    trm::config other = tiny;
    change(other);
    return trm::difference(c, other).value_or("none");
  };
  CHECK(with([](auto& o) { o.vocab = 6, o.hidden = 8; }) == "vocab is 5, the compiled model has 6");
  CHECK(with([](auto& o) { o.architecture = architecture::hrm; }) ==
        "architecture is \"trm\", the compiled model has \"hrm\"");
  CHECK(with([](auto& o) { o.tokens = 4; }) == "length (puzzle positions and tokens) is 4, the compiled model has 5");
  CHECK(with([](auto& o) { o.positions = trm::position_kind::rope; }) ==
        "it has learned positions, the compiled model has none");
  CHECK(with([](auto& o) { o.mixing = mixing_kind::tokens; }) ==
        "mixing is \"attention\", the compiled model has \"tokens\"");
  CHECK(with([](auto& o) { o.width_multiple = 256; }) == "inner width is 12, the compiled model has 256");
  CHECK(with([](auto& o) { o.puzzle_width = 2; }) == "puzzle_width is 3, the compiled model has 2");
  CHECK(with([](auto& o) { o.heads = 2, o.l_cycles = 1, o.rope_theta = 1; }) == "none");  // no shape says these
}

TEST_CASE("shapes that no model has settle nothing and harm nobody") {
  const trm_test::temporary_folder folder;
  const auto file = tensors(folder, [](auto& t) {
    t.clear();
    t[embedding] = {};
    t["model.inner.L_level.layers."] = {};
    t["model.inner.L_level.layers.99999999999.x"] = {};
    t["model.inner.L_level.layers.-3.x"] = {};
    t["model.inner.L_level.layers.3"] = {};
    t[model::puzzle_table_name] = {0, std::int64_t{1} << 40};
  });
  const trm::inferred_config c = trm::infer_config(file);
  CHECK((!c.vocab && !c.hidden && !c.layers && !c.architecture));
  CHECK(c.puzzle_width == 0);
}

/// What the recorded state dict `init.*` of a case says.
std::optional<trm::inferred_config> recorded(const std::string& name) {
  const std::string path = "model/" + name + ".safetensors";
  if (!trm_test::available(trm_test::reference_dir(), path)) return {};
  auto file = trm::safetensors_file::open(*trm_test::reference_dir() / path);
  file.rename([](const std::string& n) { return n.starts_with("init.") ? n.substr(5) : n; });
  return trm::infer_config(file);
}
constexpr trm::config base{
    .tokens = 16, .vocab = 7, .hidden = 32, .heads = 2, .l_cycles = 2, .puzzle_positions = 2, .puzzle_width = 32};
template <class Change>
void check_case(const char* name, Change change) {
  CAPTURE(name);
  trm::config c = base;
  change(c);
  const auto found = recorded(name);
  if (!found) return;
  CHECK(trm::difference(*found, c).value_or("none") == "none");
  CHECK(found->architecture == c.architecture);
  CHECK(found->mixing == c.mixing);
  CHECK(found->length.has_value() == (c.mixing == mixing_kind::tokens || c.positions == trm::position_kind::learned));
}

TEST_CASE("the published implementation's state dicts of every architecture") {
  check_case("trm_attention", [](auto& c) { c.hidden = c.puzzle_width = 64; });
  check_case("trm_mlp_mixer", [](auto& c) { c.mixing = mixing_kind::tokens, c.positions = trm::position_kind::none; });
  check_case("trm_learned_positions_softmax", [](auto& c) { c.positions = trm::position_kind::learned; });
  check_case("trm_padded_puzzle_embedding", [](auto& c) { c.puzzle_width = 40; });
  check_case("trm_no_puzzle_embedding", [](auto& c) { c.puzzle_positions = c.puzzle_width = 0; });
  check_case("trm_single_z", [](auto& c) { c.architecture = architecture::single_state; });
  check_case("trm_hier6", [](auto& c) { c.architecture = architecture::six_state; });
  check_case("hrm", [](auto& c) { c.architecture = architecture::hrm, c.puzzle_positions = 1; });
}

}  // namespace
