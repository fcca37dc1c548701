// SPDX-License-Identifier: MIT
// Pieces of HTML: escaped text, numbers to read, tables, lists of facts, what folds away.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

namespace program::report {

namespace detail {

/// The length of the well-formed UTF-8 sequence (RFC 3629) at the beginning of `text`; 0 where there is none.
inline std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
  const bool refused = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
                       (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
  return refused ? 0 : length;
}

}  // namespace detail

/// Text as HTML, for content and for quoted attributes. Bytes that are no UTF-8 and control characters other than tab
/// and line feed become U+FFFD.
inline std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = detail::utf8_length(text);
    const char c = text[0];
    const bool control = length == 1 && ((c >= 0 && c < ' ' && c != '\t' && c != '\n') || c == '\x7f');
    if (length == 0 || control) {
      out += "\xef\xbf\xbd";
    } else if (length > 1) {
      out += text.substr(0, length);
    } else {
      switch (c) {
        case '&':
          out += "&amp;";
          break;
        case '<':
          out += "&lt;";
          break;
        case '>':
          out += "&gt;";
          break;
        case '"':
          out += "&quot;";
          break;
        case '\'':
          out += "&#39;";
          break;
        default:
          out += c;
      }
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

/// What stands where there is no number.
inline constexpr std::string_view no_number = "\u2013";

/// 0.4321 -> "43.2%". What is not all is never rounded to all: 0.9999 -> "99.9%".
inline std::string percent_text(double fraction) {
  if (!std::isfinite(fraction)) return std::string(no_number);
  double tenths = std::round(fraction * 1000);
  if (tenths >= 1000 && fraction < 1) tenths = 999;
  if (tenths <= 0 && fraction > 0) return "<0.1%";
  return tenths == 1000 || tenths == 0 ? fmt::format("{:.0f}%", tenths / 10) : fmt::format("{:.1f}%", tenths / 10);
}

/// Three significant digits: 0.0123, 45.7, 1.2e-05.
inline std::string number_text(double value) {
  return std::isfinite(value) ? fmt::format("{:.3g}", value == 0 ? 0.0 : value) : std::string(no_number);
}

/// 1234567 -> "1,234,567"
inline std::string count_text(std::int64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(), first = value < 0 ? 1 : 0; at > first + 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

/// 75 -> "1 min 15 s"
inline std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e12) return std::string(no_number);
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto s = static_cast<std::int64_t>(seconds + 0.5);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{} h {} min", s / 3600, s / 60 % 60);
  return fmt::format("{} d {} h", s / 86400, s / 3600 % 24);
}

/// Letters and digits stay, all else becomes '-': for the id of an element and for links to it.
inline std::string identifier(std::string_view prefix, std::string_view text) {
  std::string id(prefix);
  for (const char c : text) {
    const bool kept = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    id += kept ? c : '-';
  }
  return id;
}

/// Rows of plain text (escaped here). The first column names the row; the others are numbers, set flush right.
struct table {
  std::string caption;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

inline std::string to_html(const table& t) {
  // Wide tables scroll by themselves and not with the page; what scrolls can be reached by keyboard.
  std::string out = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + escaped(t.caption) +
                    "\"><table><caption>" + escaped(t.caption) + "</caption><thead><tr>";
  for (const std::string& name : t.header) out += "<th scope=\"col\">" + escaped(name) + "</th>";
  out += "</tr></thead><tbody>";
  for (const auto& row : t.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += i == 0 ? "<th scope=\"row\">" + escaped(row[i]) + "</th>" : "<td>" + escaped(row[i]) + "</td>";
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

using names_and_texts = std::vector<std::pair<std::string, std::string>>;

/// Names with what there is to say of each.
inline std::string facts_list(const names_and_texts& facts) {
  std::string out = "<dl class=\"facts\">";
  for (const auto& [name, text] : facts) {
    out += "<div><dt>" + escaped(name) + "</dt><dd>" + escaped(text) + "</dd></div>\n";
  }
  return out + "</dl>\n";
}

/// A few figures set large: name and value.
inline std::string tiles(const names_and_texts& figures) {
  std::string out = "<dl class=\"tiles\">";
  for (const auto& [name, value] : figures) {
    out += "<div><dt>" + escaped(name) + "</dt><dd>" + escaped(value) + "</dd></div>\n";
  }
  return out + "</dl>\n";
}

/// HTML that is folded away behind a line of text.
inline std::string folded(std::string_view summary, std::string_view html, bool open = false) {
  return fmt::format("<details{}><summary>{}</summary>{}</details>\n", open ? " open" : "", escaped(summary), html);
}

/// Text with its line breaks, in a typeface of fixed width.
inline std::string listing(std::string_view text) {
  return "<pre tabindex=\"0\"><code>" + escaped(text) + "</code></pre>\n";
}

}  // namespace program::report
