// SPDX-License-Identifier: MIT
// A checkpoint of a tiny model: its configuration, weights and puzzle table from a safetensors file.
#include "trm/io/weights.hpp"

#include "formats.hpp"
#include "trm/io/infer_config.hpp"
#include "trm/io/model_config.hpp"
#include "trm/io/puzzle_rows.hpp"
#include "trm/models/model.hpp"
#include "trm/optim/new_row.hpp"

namespace {

constexpr trm::config tiny{.tokens = 1,
                           .vocab = 2,
                           .hidden = 2,
                           .heads = 1,
                           .layers = 1,
                           .width_multiple = 2,
                           .puzzle_positions = 1,
                           .puzzle_width = 2};
using model = trm::model<tiny>;

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const trm_fuzz::memory_file memory;
  static trm::weights<model> weights;
  trm_fuzz::attempt([&] {
    const auto file =
        trm::safetensors_file::open(memory.put(trm_fuzz::safetensors_bytes(trm_fuzz::text_of(data, size))));
    if (const auto config = file.metadata().find("config"); config != file.metadata().end()) {
      trm_fuzz::attempt([&] {
        const std::string place = "checkpoint: metadata config";
        trm::check_same_config(trm::parse_json(config->second, place), tiny, place);
      });
    }
    trm_fuzz::check_message(trm::to_text(trm::infer_config(file)));
    trm_fuzz::attempt([&] { trm::check_tensors(file, trm::expected_tensors<model>()); });
    trm_fuzz::attempt([&] { trm::read_puzzle_table<model>(file, 1); });
    trm_fuzz::attempt([&] {
      const std::string name = model::puzzle_table_name;
      const auto rows = trm::stored_puzzle_rows<float>(file.view(name), model::W, file.place(name));
      for (const float v : trm::mean_row(rows)) trm_fuzz::require(v - v == 0, "a row that is not finite");
    });
    trm::read_weights(file, weights);
    weights.each([](const trm::parameter_entry&, std::span<float> values) {
      for (const float v : values) trm_fuzz::require(v - v == 0, "a weight that is not finite");
    });
  });
  return 0;
}
