// SPDX-License-Identifier: MIT
// A table of TOML as JSON, for what keeps a run's options.
#pragma once
#include <sstream>
#include <string>

#include "toml.hpp"

#include "trm/io/json.hpp"

namespace program {

namespace detail {
inline trm::json json_of(const toml::node& node) {
  if (const auto* v = node.as_boolean()) return v->get();
  if (const auto* v = node.as_integer()) return v->get();
  if (const auto* v = node.as_floating_point()) return v->get();
  if (const auto* v = node.as_string()) return v->get();
  if (const toml::array* all = node.as_array()) {
    trm::json list = trm::json::array();
    for (const toml::node& element : *all) list.push_back(json_of(element));
    return list;
  }
  trm::json object = trm::json::object();
  if (const toml::table* all = node.as_table()) {
    for (const auto& [key, value] : *all) object[std::string(key.str())] = json_of(value);
    return object;
  }
  std::ostringstream text;  // dates and times
  node.visit([&](const auto& v) { text << v; });
  return text.str();
}
}  // namespace detail

/// The options of a command in what to_toml made of them: {"lr": 0.001, "data": ["data/six"], ...}.
inline trm::json options_json(const std::string& configuration, const std::string& command) {
  const toml::table root = toml::parse(configuration);
  const toml::table* options = root[command].as_table();
  return options == nullptr ? trm::json::object() : detail::json_of(*options);
}

}  // namespace program
