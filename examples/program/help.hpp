// SPDX-License-Identifier: MIT
// The help of programs and commands.
#pragma once
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "option_kind.hpp"
#include "terminal.hpp"

namespace program {

/// `text` in lines of at most `width` columns; all but the first are indented. Words are not broken.
inline std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string lines;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const bool begins = column == indent;
    if (!begins && column + 1 + end > width) {
      lines += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!begins) {
      lines += ' ';
      ++column;
    }
    lines += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// Options in two columns: name and what it takes; what it is, its range and default.
class help_formatter final : public CLI::Formatter {
 public:
  help_formatter() { label("Positionals", "Arguments"); }

  std::string make_usage(const CLI::App* app, std::string) const override {
    const CLI::App* parent = app->get_parent();
    std::string line = "Usage: " + (parent != nullptr ? parent->get_name() + " " : std::string()) + app->get_name();
    if (parent == nullptr) return line + " COMMAND [OPTIONS]\n";
    for (const CLI::Option* o : app->get_options()) {
      if (o->get_required() && !o->get_positional()) line += " " + option_name(*o);
    }
    line += " [OPTIONS]";
    for (const CLI::Option* o : app->get_options()) {
      if (o->get_positional()) line += " " + positional_name(*o);
    }
    return "\n" + wrapped(line, 4, width()) + "\n";
  }
  std::string make_option(const CLI::Option* o, bool positional) const override {
    std::string about = o->get_description();
    std::vector<std::string> facts;
    if (o->get_required() && !positional) facts.push_back("required");
    const std::string range = range_of(*o), from = o->get_default_str();
    // From 0 or 1 is what everybody expects of a count.
    if (!range.empty() && !range.starts_with("from")) facts.push_back(range);
    if (!from.empty() && kind_of(*o) != option_kind::flag) facts.push_back("default " + from);
    for (std::size_t i = 0; i < facts.size(); ++i) about += (i == 0 ? " (" : ", ") + facts[i];
    return entry(positional ? positional_name(*o) : option_name(*o), about + (facts.empty() ? "" : ")"));
  }
  std::string make_subcommand(const CLI::App* command) const override {
    return entry(command->get_name(), command->get_description());
  }

 private:
  static constexpr std::size_t column = 30;
  static std::size_t width() { return std::clamp<std::size_t>(terminal_columns(STDOUT_FILENO, 100), 60, 110); }
  static std::string entry(const std::string& name, const std::string& about) {
    std::string text = "  " + name;
    text += text.size() + 2 > column ? "\n" + std::string(column, ' ') : std::string(column - text.size(), ' ');
    return text + wrapped(about, column, width()) + "\n";
  }
  static std::string positional_name(const CLI::Option& o) {
    std::string name = o.get_name(true, false);
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return is_list(o) ? name + "..." : name;
  }
  static std::string option_name(const CLI::Option& o) {
    std::string name;
    for (const std::string& s : o.get_snames()) name += "-" + s + ", ";
    for (const std::string& l : o.get_lnames()) name += "--" + l + ", ";
    name.resize(name.size() - std::min<std::size_t>(name.size(), 2));
    switch (kind_of(o)) {
      case option_kind::flag:
        return name;
      case option_kind::whole:
        name += " N";
        break;
      case option_kind::real:
        name += " X";
        break;
      case option_kind::text: {
        const std::string type = o.get_type_name();
        name += " " + (type.starts_with("TEXT") ? "NAME" : type.substr(0, type.find(':')));
      }
    }
    return is_list(o) ? name + ",..." : name;
  }
};

}  // namespace program
