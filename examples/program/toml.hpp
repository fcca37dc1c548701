// SPDX-License-Identifier: MIT
// Options of commands from the environment and from a TOML file, and written as TOML.
#pragma once
#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#define TOML_ENABLE_WINDOWS_COMPAT 0
#define TOML_ASSERT(what) static_cast<void>(0)  // of toml++ 3.3 some can be reached by a malformed file
#include <toml++/toml.h>

#include "option_kind.hpp"
#include "trm/core/error.hpp"
#include "trm/io/file.hpp"

namespace program {

/// Wrong usage of a program: exit code 2.
inline CLI::ParseError usage_error(const std::string& place, const std::string& what) {
  return CLI::ParseError(place + ": " + what, CLI::ExitCodes::InvalidError);
}

/// May the option stand in the environment and in a file? Its name there, or nothing.
inline std::string name_in_file(const CLI::Option& o) {
  return o.get_configurable() && !o.get_lnames().empty() ? o.get_lnames().front() : "";
}
/// The environment variable of an option: TRM_BATCH for --batch.
inline std::string environment_name(const std::string& option) {
  std::string name = "TRM_";
  for (const char c : option) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

namespace detail {

/// As if the values stood on the command line. \throws usage_error that names `place`
inline void give(CLI::Option& o, const std::vector<std::string>& values, const std::string& place) {
  try {
    for (const std::string& v : values) o.add_result(v);
    o.run_callback();
  } catch (const CLI::ParseError&) {
    throw usage_error(place, refusal(o));
  }
}

/// A file of options: keys are options, tables are commands.
class options_file {
 public:
  explicit options_file(const std::filesystem::path& path) : path_(path.string()) {
    try {
      const std::string text = trm::read_file(path, std::size_t{1} << 20);
      // Of letters beyond ASCII the parser of toml++ 3.3 takes some for unreachable, wherever a malformed file has them.
      const auto letter = std::ranges::find_if(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
      if (letter != text.end()) {
        throw usage_error(fmt::format("{}:{}", path_, 1 + std::count(text.begin(), letter, '\n')),
                          "a letter beyond ASCII: write it in double quotes as \\u00E9");
      }
      root_ = toml::parse(text);
    } catch (const trm::error& e) {
      throw CLI::FileError(e.what());
    } catch (const toml::parse_error& e) {
      throw usage_error(at(e.source()), trm::detail::printable(e.description(), 200));
    }
  }

  /// Gives `command` what the file says and nobody said before. Everything else in it must be an option of some command.
  void apply(const CLI::App& program, CLI::App& command) const {
    for (const auto& [key, node] : root_) {
      const std::string name(key.str());
      const toml::table* table = node.as_table();
      const CLI::App* owner = nullptr;
      for (const CLI::App* c : program.get_subcommands({})) owner = c->get_name() == name ? c : owner;
      if (owner == nullptr) {
        throw usage_error(at(node.source()), table != nullptr
                                                 ? "there is no command \"" + printable(name) + "\" for this table"
                                                 : "\"" + printable(name) + "\" is not in a table of a command: [" +
                                                       command.get_name() + "]");
      }
      if (table == nullptr) throw usage_error(at(node.source()), name + ": expected a table, [" + name + "]");
      for (const auto& [inner, value] : *table) {
        const std::string option(inner.str());
        const CLI::Option* o = find(*owner, option);
        if (o == nullptr) {
          throw usage_error(at(value.source()), fmt::format("\"{}\" is not an option of {}", printable(option), name));
        }
        const std::vector<std::string> values = values_of(*o, option, value);
        if (owner == &command && o->count() == 0) {
          give(*command.get_option("--" + option), values, at(value.source()) + ": " + option);
        }
      }
    }
  }

 private:
  static std::string printable(const std::string& text) { return trm::detail::printable(text, 60); }
  std::string at(const toml::source_region& where) const {
    return fmt::format("{}:{}:{}", path_, where.begin.line, where.begin.column);
  }
  static const CLI::Option* find(const CLI::App& command, const std::string& name) {
    for (const CLI::Option* o : command.get_options()) {
      if (name_in_file(*o) == name) return o;
    }
    return nullptr;
  }
  std::vector<std::string> values_of(const CLI::Option& o, const std::string& name, const toml::node& value) const {
    if (!value.is_array()) return {scalar(o, name, value)};
    if (!is_list(o)) throw usage_error(at(value.source()), name + ": a list, expected " + expected_of(o));
    std::vector<std::string> all;
    for (const toml::node& one : *value.as_array()) all.push_back(scalar(o, name, one));
    if (all.empty()) throw usage_error(at(value.source()), name + ": an empty list: leave it out instead");
    return all;
  }
  std::string scalar(const CLI::Option& o, const std::string& name, const toml::node& value) const {
    const option_kind kind = kind_of(o);
    const bool number = kind == option_kind::whole || kind == option_kind::real;
    if (const auto* b = value.as_boolean(); b != nullptr && kind == option_kind::flag)
      return b->get() ? "true" : "false";
    if (const auto* i = value.as_integer(); i != nullptr && number) return std::to_string(i->get());
    if (const auto* f = value.as_floating_point(); f != nullptr && kind == option_kind::real)
      return fmt::format("{}", f->get());
    if (const auto* s = value.as_string(); s != nullptr && kind == option_kind::text) return s->get();
    std::ostringstream type;
    type << value.type();
    throw usage_error(at(value.source()), fmt::format("{}: expected {}, found {}", name, expected_of(o), type.str()));
  }

  std::string path_;
  toml::table root_;
};

inline std::string toml_value(option_kind kind, const std::string& text) {
  if (kind == option_kind::flag) return CLI::detail::to_flag_value(text) > 0 ? "true" : "false";
  std::string plain = text;
  if (kind != option_kind::text) return plain_number(kind, true, plain) ? plain : "";
  std::ostringstream quoted;
  const toml::value<std::string> value(text);
  quoted << toml::toml_formatter(value, toml::format_flags::none);  // letters beyond ASCII as escapes
  return quoted.str();
}

}  // namespace detail

/// Completes the options of `command` that the command line left open: from the environment, then from the file
/// (empty: none). \throws usage_error that names the variable, or file, line and column
inline void complete_options(const CLI::App& program, CLI::App& command, const std::filesystem::path& file) {
  for (CLI::Option* o : command.get_options([](CLI::Option* o) { return !name_in_file(*o).empty(); })) {
    const std::string variable = environment_name(name_in_file(*o));
    const char* said = std::getenv(variable.c_str());
    if (said != nullptr && *said != '\0' && o->count() == 0)
      detail::give(*o, {said}, "environment variable " + variable);
  }
  if (!file.empty()) detail::options_file(file).apply(program, command);
}

/// The options in the table of `command` of such a text, their values as TOML. \throws trm::error that names `place`
inline std::map<std::string, std::string> option_values(const std::string& text, const std::string& command,
                                                        const std::filesystem::path& place) {
  std::map<std::string, std::string> values;
  try {
    const toml::table root = toml::parse(text);
    if (const toml::table* table = root[command].as_table(); table != nullptr) {
      for (const auto& [key, node] : *table) {
        std::ostringstream value;
        node.visit([&](const auto& v) {
          // As short as reads back: toml++ writes 0.3 as 0.29999999999999999.
          if constexpr (toml::is_floating_point<decltype(v)>) {
            value << fmt::format("{}", v.get());
          } else {
            value << v;
          }
        });
        values.emplace(key.str(), value.str());
      }
    }
  } catch (const toml::parse_error& e) {
    throw trm::error(place.string(), trm::detail::printable(e.description(), 200));
  }
  return values;
}

/// The options of a command as they stand, as a TOML table that reads back. Options without a value are left out.
inline std::string to_toml(const CLI::App& command) {
  std::string text = fmt::format("[{}]\n", command.get_name());
  for (const CLI::Option* option : command.get_options()) {
    if (name_in_file(*option).empty()) continue;
    const option_kind kind = kind_of(*option);
    std::vector<std::string> values = option->reduced_results();
    if (values.empty() && !option->get_default_str().empty()) values = {option->get_default_str()};
    if (values.empty() && kind == option_kind::flag) values = {"false"};
    std::string joined;
    for (const std::string& v : values) {
      const std::string one = detail::toml_value(kind, v);
      if (!one.empty()) joined += (joined.empty() ? "" : ", ") + one;
    }
    if (joined.empty()) continue;
    text += fmt::format("{} = {}\n", name_in_file(*option), is_list(*option) ? "[" + joined + "]" : joined);
  }
  return text;
}

}  // namespace program
