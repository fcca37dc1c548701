// SPDX-License-Identifier: MIT
// A document that stands alone: one HTML file, no resource from outside, complete without its script.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "html.hpp"
#include "script.hpp"
#include "style.hpp"

namespace program::report {

/// Sections of HTML under a title, with links to them at the top.
class page {
 public:
  /// `program` stands small above the title. Both are plain text.
  page(std::string program, std::string title) : program_(std::move(program)), title_(std::move(title)) {}

  /// HTML between the title and the first section.
  void lead(std::string_view html) { lead_ += html; }
  /// `heading` is plain text, `html` is taken as it is.
  void section(std::string heading, std::string html) { sections_.push_back({std::move(heading), std::move(html)}); }

  std::string html() const {
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        // Whatever the texts in it: this page asks no server for anything.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'; img-src data:\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
        escaped(title_) + " \u00b7 " + escaped(program_) + "</title>\n<style>" + std::string(style_sheet) +
        "</style></head>\n<body><header><p class=\"program\">" + escaped(program_) + "</p><h1>" + escaped(title_) +
        "</h1>\n" + lead_ + contents() + "</header>\n<main>\n";
    for (std::size_t i = 0; i < sections_.size(); ++i) {
      out += fmt::format("<section aria-labelledby=\"part-{0}\"><h2 id=\"part-{0}\">{1}</h2>\n{2}</section>\n", i + 1,
                         escaped(sections_[i].first), sections_[i].second);
    }
    return out + "</main>\n<script>" + std::string(script) + "</script></body></html>\n";
  }

 private:
  std::string contents() const {
    if (sections_.size() < 2) return "";
    std::string out = "<nav aria-label=\"Sections\">";
    for (std::size_t i = 0; i < sections_.size(); ++i) {
      out += fmt::format("<a href=\"#part-{}\">{}</a> ", i + 1, escaped(sections_[i].first));
    }
    return out + "</nav>\n";
  }

  std::string program_, title_, lead_;
  std::vector<std::pair<std::string, std::string>> sections_;
};

}  // namespace program::report
