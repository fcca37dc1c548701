// SPDX-License-Identifier: MIT
// Is a text a well-formed piece of HTML?
#pragma once
#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace trm_test {

/// Reads HTML as strictly as XML: every element is closed in turn (but for void ones), attributes are quoted and occur once, < and &
/// in texts are escaped, no id occurs twice, a link within the page has its target.
class html_reader {
 public:
  explicit html_reader(std::string_view html) : text_(html) {
    while (error_.empty() && at_ < text_.size()) step();
    if (error_.empty() && !open_.empty()) error_ = "<" + open_.back() + "> is not closed";
    for (const std::string& target : links_) {
      if (error_.empty() && !ids_.contains(target)) error_ = "no element with the id " + target;
    }
  }

  /// What is wrong with it; empty where nothing is.
  const std::string& error() const { return error_; }
  /// How many elements of this name there are.
  std::size_t count(const std::string& name) const {
    return static_cast<std::size_t>(std::count(elements_.begin(), elements_.end(), name));
  }

 private:
  void fail(const std::string& what) {
    if (error_.empty()) error_ = what + " near: " + std::string(text_.substr(at_ < 30 ? 0 : at_ - 30, 60));
  }
  bool eat(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }
  static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '!';
  }
  std::string name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    if (begin == at_) fail("a name is missing");
    return std::string(text_.substr(begin, at_ - begin));
  }
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  void entity() {
    for (const std::string_view known : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
      if (eat(known)) return;
    }
    fail("a bare &");
  }

  void step() {
    if (text_[at_] == '&') return entity();
    if (text_[at_] == '>') return fail("a bare >");
    if (text_[at_] != '<') {
      ++at_;
      return;
    }
    if (eat("<!DOCTYPE html>")) return;
    if (eat("</")) {
      const std::string closed = name();
      if (open_.empty() || open_.back() != closed || !eat(">")) return fail("</" + closed + "> closes nothing");
      open_.pop_back();
      return;
    }
    ++at_;
    element();
  }

  void element() {
    const std::string element = name();
    elements_.push_back(element);
    std::set<std::string> names;
    for (blanks(); error_.empty() && at_ < text_.size() && text_[at_] != '>' && text_[at_] != '/'; blanks()) {
      const std::string attribute = name();
      if (!names.insert(attribute).second) return fail(attribute + " occurs twice");
      std::string value;
      if (eat("=")) value = quoted();
      if (attribute == "id" && !ids_.insert(value).second) return fail("the id " + value + " occurs twice");
      if (attribute == "href" && value.starts_with("#")) links_.push_back(value.substr(1));
    }
    if (eat("/>")) return;
    if (!eat(">")) return fail("<" + element + " is not ended");
    if (element == "meta" || element == "br") return;
    open_.push_back(element);
    if (element == "style" || element == "script") {  // their text is no markup, up to the closing tag
      at_ = std::min(text_.find("</" + element, at_), text_.size());
    }
  }
  std::string quoted() {
    if (!eat("\"")) return fail("an attribute without quotes"), "";
    const std::size_t begin = at_;
    while (error_.empty() && at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '&') {
        entity();
      } else if (text_[at_] == '<') {
        fail("a bare < in an attribute");
      } else {
        ++at_;
      }
    }
    const std::string value(text_.substr(begin, at_ - begin));
    if (!eat("\"")) fail("an attribute is not ended");
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string error_;
  std::vector<std::string> open_, elements_, links_;
  std::set<std::string> ids_;
};

}  // namespace trm_test
