// SPDX-License-Identifier: MIT
// What the values of an option are, in words and checked strictly.
#pragma once
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "trm/io/json.hpp"

namespace program {

/// More threads than anybody has are a mistake that the system would answer less clearly.
inline constexpr int most_threads = 1024;

enum class option_kind { flag, whole, real, text };

inline option_kind kind_of(const CLI::Option& o) {
  if (o.get_expected_min() == 0) return option_kind::flag;
  const std::string type = o.get_type_name();
  if (type.starts_with("INT") || type.starts_with("UINT")) return option_kind::whole;
  return type.starts_with("FLOAT") ? option_kind::real : option_kind::text;
}
inline bool is_list(const CLI::Option& o) { return o.get_expected_max() > 1 || o.get_delimiter() != '\0'; }

/// The words that an option is restricted to; empty: any.
inline std::vector<std::string> choices_of(const CLI::Option& o) {
  const std::string type = o.get_type_name();
  const auto open = type.find('{'), close = type.rfind('}');
  std::vector<std::string> words;
  if (open == type.npos || close == type.npos) return words;
  for (const std::string& w : CLI::detail::split(type.substr(open + 1, close - open - 1), ',')) words.push_back(w);
  return words;
}

/// "5 to 64", "from 1", "above 0"; empty where nothing is said of the range.
inline std::string range_of(const CLI::Option& o) {
  const std::string type = o.get_type_name();
  if (type.find(":POSITIVE") != type.npos) return kind_of(o) == option_kind::whole ? "from 1" : "above 0";
  if (type.find(":NONNEGATIVE") != type.npos || type.starts_with("UINT")) return "from 0";
  const auto open = type.find(" in ["), middle = type.find(" - ", open), close = type.find(']', open);
  if (open == type.npos || middle == type.npos || close == type.npos) return "";
  return type.substr(open + 5, middle - open - 5) + " to " + type.substr(middle + 3, close - middle - 3);
}

/// "a whole number from 1", "one of 4, 6, 9"
inline std::string expected_of(const CLI::Option& o) {
  if (const auto choices = choices_of(o); !choices.empty()) {
    std::string all;
    for (const std::string& c : choices) all += (all.empty() ? "one of " : ", ") + c;
    return all;
  }
  std::string range = range_of(o);
  if (range.find(" to ") != range.npos) range = "from " + range;
  switch (kind_of(o)) {
    case option_kind::flag:
      return "true or false";
    case option_kind::whole:
      return "a whole number" + (range.empty() ? "" : " " + range);
    case option_kind::real:
      return "a number" + (range.empty() ? "" : " " + range);
    case option_kind::text:
      break;
  }
  return is_list(o) ? "one or several values" : "a value";
}

namespace detail {

/// A decimal number, finite, and nothing else; reduced to its plain form, which a leading 0 does not make octal.
inline bool plain_number(option_kind kind, bool negative, std::string& text) {
  const char *begin = text.data(), *end = begin + text.size();
  if (kind == option_kind::whole) {
    std::int64_t value = 0;
    const auto read = std::from_chars(begin, end, value);
    if (read.ec != std::errc() || read.ptr != end || (value < 0 && !negative)) return false;
    text = std::to_string(value);
    return true;
  }
  double value = 0;
  const auto read = std::from_chars(begin, end, value);
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(value)) return false;
  text = fmt::format("{}", value);
  return true;
}

}  // namespace detail

/// Makes an option refuse numbers that are not plain decimal ones: 0x10, 1e3 for a whole number, nan.
inline void require_plain_numbers(CLI::Option& o) {
  const option_kind kind = kind_of(o);
  if (kind != option_kind::whole && kind != option_kind::real) return;
  const bool negative = !o.get_type_name().starts_with("UINT");
  o.transform(CLI::Validator(
      [kind, negative](std::string& text) {
        return detail::plain_number(kind, negative, text) ? std::string() : std::string("no number");
      },
      ""));
}

/// What is wrong with the values an option was given: `"many" is not a whole number from 1`.
inline std::string refusal(const CLI::Option& o) {
  const auto& said = o.results();
  const auto quoted = [](const std::string& v) { return '"' + trm::detail::printable(v, 60) + '"'; };
  if (said.empty()) return "expected " + expected_of(o);
  if (said.size() > 1 && !is_list(o)) return fmt::format("given {} times, expected {}", said.size(), expected_of(o));
  const auto choices = choices_of(o);
  for (const std::string& v : said) {
    if (!choices.empty() && std::ranges::find(choices, v) == choices.end())
      return quoted(v) + " is not " + expected_of(o);
  }
  std::string plain = said.front();
  const bool number = detail::plain_number(kind_of(o), true, plain);
  // A number of the right form was refused: it is beyond the range, or beyond what its type holds.
  if (number && kind_of(o) == option_kind::whole && range_of(o).find("from") == 0 && plain.front() != '-' &&
      plain != "0")
    return quoted(said.front()) + " is too large";
  return quoted(said.front()) + " is not " + expected_of(o);
}

}  // namespace program
