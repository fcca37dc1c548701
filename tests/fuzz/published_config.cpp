// SPDX-License-Identifier: MIT
// Published configurations: {"arch": ..., "loss_type": ..., "fields": {...}}, translated and compared.
#include "trm/io/published_config.hpp"

#include "fuzz.hpp"
#include "trm/io/model_config.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trm_fuzz::attempt([&] {
    const trm::json document = trm::parse_json(trm_fuzz::text_of(data, size), "run.json");
    trm_fuzz::attempt([&] { trm::check_same_config(document, trm::config{}, "run.json"); });
    const trm::json_field root(document, "run.json");
    const trm::config c = trm::published_config(root.at("arch").string(), root.at("fields").value(),
                                                root.at("loss_type").string(), "run.json");
    trm::check_same_config(trm::to_json(c), c, "itself");
  });
  return 0;
}
