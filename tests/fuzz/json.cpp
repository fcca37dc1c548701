// SPDX-License-Identifier: MIT
// Any JSON document: what is accepted is what nlohmann's own parser makes of it, and reads back from its own text.
#include "trm/io/json.hpp"

#include "fuzz.hpp"

namespace {

/// Every typed reading of every value.
void visit(const trm::json_field& field) {
  using trm_fuzz::attempt;
  attempt([&] { (void)field.integer(0, 100); });
  attempt([&] { (void)field.number(-1, 1); });
  attempt([&] { (void)field.boolean(); });
  attempt([&] { (void)field.string(); });
  attempt([&] { (void)field.strings(); });
  attempt([&] { (void)field.integers(-5); });
  attempt([&] { field.only({"a", "b"}); });
  attempt([&] { (void)field.at("a"); });
  if (field.is_array()) {
    for (std::size_t i = 0; i < field.size(); ++i) visit(field.at(i));
  } else if (field.is_object()) {
    for (const auto& [key, unused] : field.value().items()) visit(field.at(key));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = trm_fuzz::text_of(data, size);
  trm_fuzz::attempt([&] {
    const trm::json document = trm::parse_json(text, "f.json");
    trm_fuzz::require(document == trm::json::parse(text), "another document than the library's");
    trm_fuzz::require(trm::parse_json(document.dump(), "again") == document, "its own text reads as another document");
    visit(trm::json_field(document, "f.json"));
  });
  return 0;
}
