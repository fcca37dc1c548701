// SPDX-License-Identifier: MIT
#include "parity/recorded.hpp"
#include "trm/io/model_files.hpp"

namespace {

constexpr trm::config c{
    .tokens = 16, .vocab = 7, .hidden = 64, .heads = 4, .l_cycles = 2, .puzzle_positions = 2, .puzzle_width = 64};
using model = trm::model<c>;

TEST_CASE("trm_attention: two states, attention, q_halt") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_attention.safetensors")) return;
  trm_test::check_recorded<model>("trm_attention", *trm_test::reference_dir() / "model");
}

TEST_CASE("the published PyTorch file has the recorded weights, bit for bit, and gives the recorded evaluation") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_attention_final.pt")) return;
  const auto folder = *trm_test::reference_dir() / "model";
  trm_test::recorded r(folder, "trm_attention");
  const auto published = trm::model_files::open(folder / "trm_attention_final.pt");
  REQUIRE(published.table() != nullptr);
  trm::weights<model> theirs, recorded;
  trm::read_weights(published.weights(), theirs);
  trm::read_weights(r.file(), recorded, "final.");
  CHECK(std::equal(theirs.parameters(), theirs.parameters() + model::extent, recorded.parameters()));
  CHECK(std::equal(theirs.constants(), theirs.constants() + model::constant_extent, recorded.constants()));
  const std::string table = model::puzzle_table_name;
  CHECK(published.table()->read<float>(table) == r.file().read<float>("final." + table));

  trm::cpu::context<> device(1);
  const auto logits = trm_test::check_evaluation<model>(r, published.weights(), "", device);
  CHECK(logits == trm_test::check_evaluation<model>(r, r.file(), "final.", device));
  r.report();
}

}  // namespace
