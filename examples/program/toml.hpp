// SPDX-License-Identifier: MIT
// Options of a command in TOML, read and written.
#pragma once
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <istream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

namespace program {

/// The environment variable of an option: TRM_BATCH for --batch.
inline std::string environment_name(const std::string& option) {
  std::string name = "TRM_";
  for (const char c : option) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

/// Reads configuration files for CLI11: keys are options, tables are commands. What the environment says is left to it.
class toml_reader : public CLI::ConfigBase {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    const std::string text((std::istreambuf_iterator<char>(input)), std::istreambuf_iterator<char>());
    std::vector<CLI::ConfigItem> items;
    try {
      const toml::table root = toml::parse(text);
      for (const auto& [key, node] : root) {
        if (const toml::table* section = node.as_table()) {
          for (const auto& [name, value] : *section)
            add({std::string(key.str())}, std::string(name.str()), value, items);
        } else {
          add({}, std::string(key.str()), node, items);
        }
      }
    } catch (const toml::parse_error& e) {
      throw CLI::ConfigError(at(e.source(), std::string(e.description())), CLI::ExitCodes::ConfigError);
    }
    return items;
  }

 private:
  static std::string at(const toml::source_region& where, const std::string& what) {
    std::string line;
    for (const char c : what) line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    return fmt::format("configuration file, line {}, column {}: {}", where.begin.line, where.begin.column, line);
  }
  static std::string scalar(const std::string& name, const toml::node& value) {
    if (const auto* s = value.as_string()) return s->get();
    if (const auto* b = value.as_boolean()) return b->get() ? "true" : "false";
    if (const auto* i = value.as_integer()) return std::to_string(i->get());
    if (const auto* f = value.as_floating_point()) return fmt::format("{}", f->get());
    throw CLI::ConfigError(at(value.source(), name + ": expected a string, a number, true or false, or a list of them"),
                           CLI::ExitCodes::ConfigError);
  }
  static void add(std::vector<std::string> parents, std::string name, const toml::node& value,
                  std::vector<CLI::ConfigItem>& items) {
    if (const char* said = std::getenv(environment_name(name).c_str()); said != nullptr && *said != '\0') return;
    CLI::ConfigItem item;
    item.parents = std::move(parents);
    item.name = std::move(name);
    if (const toml::array* list = value.as_array()) {
      for (const toml::node& one : *list) item.inputs.push_back(scalar(item.name, one));
      if (item.inputs.empty()) return;  // as if it were not there
    } else {
      item.inputs.push_back(scalar(item.name, value));
    }
    items.push_back(std::move(item));
  }
};

namespace detail {

inline std::string toml_value(const CLI::Option& option, const std::string& text) {
  const std::string type = option.get_type_name();
  if (option.get_expected_min() == 0) return text.empty() || text == "false" || text == "0" ? "false" : "true";
  double number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if ((type.starts_with("INT") || type.starts_with("UINT") || type.starts_with("FLOAT")) && end.ec == std::errc() &&
      end.ptr == text.data() + text.size()) {
    return text;
  }
  std::ostringstream quoted;
  quoted << toml::value<std::string>(text);
  return quoted.str();
}

}  // namespace detail

/// The options of a command as they stand, as a TOML table that reads back. Options without a value are left out.
inline std::string to_toml(const CLI::App& command) {
  std::string text = fmt::format("[{}]\n", command.get_name());
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_configurable() || option->get_lnames().empty()) continue;
    std::vector<std::string> values = option->reduced_results();
    if (values.empty() && !option->get_default_str().empty()) values = {option->get_default_str()};
    if (values.empty() && option->get_expected_min() == 0) values = {"false"};
    if (values.empty()) continue;
    const bool list = option->get_expected_max() > 1 || option->get_delimiter() != '\0';
    std::string joined;
    for (const std::string& v : values) joined += (joined.empty() ? "" : ", ") + detail::toml_value(*option, v);
    text += fmt::format("{} = {}\n", option->get_lnames().front(), list ? "[" + joined + "]" : joined);
  }
  return text;
}

}  // namespace program
