// SPDX-License-Identifier: MIT
// Strict JSON: whatever the bytes, a value or a trm::error that says where.
#pragma once
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/file.hpp"

namespace trm {

/// A JSON document: nlohmann's.
using json = nlohmann::json;

/// Containers within containers that a document may have.
inline constexpr int json_max_depth = 64;

namespace detail {

/// One line of printable ASCII, at most `limit` characters, for messages that quote outside text.
inline std::string printable(std::string_view text, std::size_t limit = 120) {
  std::string out;
  for (const char c : text.substr(0, limit)) out += c >= ' ' && c <= '~' ? c : '?';
  return text.size() > limit ? out + "..." : out;
}

/// Iterates over characters and lets others see how far the parser has read.
struct tracked_text {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  const char** furthest;

  reference operator*() const { return *at; }
  tracked_text& operator++() {
    *furthest = ++at;
    return *this;
  }
  tracked_text operator++(int) {
    tracked_text before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const tracked_text& a, const tracked_text& b) { return a.at == b.at; }
  friend bool operator!=(const tracked_text& a, const tracked_text& b) { return a.at != b.at; }
};

/// Builds the document from the parser's events. nlohmann's own builder keeps the last of two equal keys and has no
/// depth limit.
class json_builder {
 public:
  json_builder(std::string_view text, const std::string& place) : text_(text), place_(place), furthest_(text.data()) {}

  tracked_text begin() { return {text_.data(), &furthest_}; }
  tracked_text end() { return {text_.data() + text_.size(), &furthest_}; }
  json take() { return std::move(root_); }

  bool null() { return add(nullptr); }
  bool boolean(bool v) { return add(v); }
  bool number_integer(std::int64_t v) { return add(v); }
  bool number_unsigned(std::uint64_t v) { return add(v); }
  bool number_float(double v, const std::string&) { return add(v); }
  bool string(std::string& v) { return add(std::move(v)); }
  bool binary(json::binary_t&) { return false; }  // JSON text has none
  bool start_object(std::size_t) { return open(json::object()); }
  bool start_array(std::size_t) { return open(json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& k) {
    const auto [at, fresh] = open_.back()->get_ref<json::object_t&>().emplace(std::move(k), nullptr);
    if (!fresh) fail("the key \"" + printable(at->first) + "\" occurs twice");
    member_ = &at->second;
    return true;
  }
  template <class Exception>
  bool parse_error(std::size_t, const std::string&, const Exception& e) {
    std::string_view what = e.what();  // "[json.exception....] parse error at line 1, column 2: <what>"
    if (const auto from = what.find("] "); from != what.npos) what.remove_prefix(from + 2);
    if (what.substr(0, 14) == "parse error at") what.remove_prefix(std::min(what.size(), what.find(": ") + 2));
    fail(printable(what, 200));
  }

  /// The place is where the parser has got to.
  [[noreturn]] void fail(const std::string& what) const {
    const std::string_view read(text_.data(), static_cast<std::size_t>(furthest_ - text_.data()));
    const auto line = std::count(read.begin(), read.end(), '\n') + 1;
    const auto column = read.size() - (read.rfind('\n') + 1);  // npos + 1 is 0
    throw error(place_ + ":" + std::to_string(line) + ":" + std::to_string(column), what);
  }

 private:
  template <class V>
  bool add(V&& v) {
    put(json(std::forward<V>(v)));
    return true;
  }
  json* put(json&& v) {
    if (open_.empty()) return &(root_ = std::move(v));
    if (open_.back()->is_object()) return &(*member_ = std::move(v));
    open_.back()->get_ref<json::array_t&>().push_back(std::move(v));
    return &open_.back()->back();
  }
  bool open(json&& v) {
    if (open_.size() >= json_max_depth) fail("nested deeper than " + std::to_string(json_max_depth));
    open_.push_back(put(std::move(v)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  const std::string& place_;
  const char* furthest_;
  json root_;
  std::vector<json*> open_;
  json* member_ = nullptr;
};

}  // namespace detail

/// Parses one JSON document (RFC 8259, UTF-8). Throws trm::error `place:line:column: ...` on anything else: trailing
/// text, duplicate keys, NaN and Infinity, numbers beyond float64, invalid UTF-8, nesting deeper than json_max_depth.
inline json parse_json(std::string_view text, const std::string& place) {
  detail::json_builder builder(text, place);
  // nlohmann's parser takes a NUL for the end of the text.
  if (const auto nul = text.find('\0'); nul != text.npos) throw error(place, "NUL at byte " + std::to_string(nul));
  if (!json::sax_parse(builder.begin(), builder.end(), &builder)) builder.fail("not JSON");
  return builder.take();
}

/// The JSON document in a file of at most `limit` bytes.
inline json read_json(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 30) {
  return parse_json(read_file(path, limit), path.string());
}

/// A value in a document together with its place, for reading typed fields: `FILE: /seq_len: expected an integer in
/// 1..4096, found "abc"`. It refers to the document, which must outlive it.
class json_field {
 public:
  /// The value at `pointer` (RFC 6901) of a document; `file` names the document in messages. The document must live
  /// longer.
  json_field(const json& value, std::string file, std::string pointer = "")
      : value_(&value), file_(std::move(file)), pointer_(std::move(pointer)) {}

  const json& value() const { return *value_; }           // as it is
  bool is_null() const { return value_->is_null(); }      // null?
  bool is_object() const { return value_->is_object(); }  // {...}?
  bool is_array() const { return value_->is_array(); }    // [...]?

  /// Throws trm::error `file: pointer: what`.
  [[noreturn]] void fail(const std::string& what) const {
    throw error(file_ + ": " + (pointer_.empty() ? "/" : detail::printable(pointer_, 200)), what);
  }

  /// The member `key` of an object.
  json_field at(const std::string& key) const {
    if (auto member = find(key)) return *member;
    fail("\"" + key + "\" is missing");
  }
  /// A member, if there is one. Throws trm::error where this is no object.
  std::optional<json_field> find(const std::string& key) const {
    if (!value_->is_object()) expected("an object");
    const auto member = value_->find(key);
    if (member == value_->end()) return std::nullopt;
    return json_field(*member, file_, pointer_ + "/" + escaped(key));
  }
  /// Every member of an object must be one of these: a misspelt key is an error.
  void only(std::initializer_list<std::string_view> keys) const {
    if (!value_->is_object()) expected("an object");
    for (const auto& [key, unused] : value_->items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        fail("unknown key \"" + detail::printable(key) + "\"");
    }
  }
  /// The length of an array.
  std::size_t size() const {
    if (!value_->is_array()) expected("an array");
    return value_->size();
  }
  /// Element `i` of an array.
  json_field at(std::size_t i) const {
    if (i >= size()) fail("expected more than " + std::to_string(i) + " elements, found " + std::to_string(size()));
    return json_field((*value_)[i], file_, pointer_ + "/" + std::to_string(i));
  }

  /// A whole number of [least, most]. Throws trm::error, with file and place, for anything else.
  std::int64_t integer(std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                       std::int64_t most = std::numeric_limits<std::int64_t>::max()) const {
    const bool fits = value_->is_number_unsigned()
                          ? value_->get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}
                          : value_->is_number_integer();
    if (!fits || value_->get<std::int64_t>() < least || value_->get<std::int64_t>() > most) {
      const auto bound = [](std::int64_t v) {
        return v == std::numeric_limits<std::int64_t>::max() || v == std::numeric_limits<std::int64_t>::min()
                   ? std::string()
                   : std::to_string(v);
      };
      const std::string range = bound(least) + ".." + bound(most);
      expected(range == ".." ? "an integer" : "an integer in " + range);
    }
    return value_->get<std::int64_t>();
  }
  /// A number of [least, most]. Throws trm::error for anything else.
  double number(double least = std::numeric_limits<double>::lowest(),
                double most = std::numeric_limits<double>::max()) const {
    if (!value_->is_number()) expected("a number");
    const double v = value_->get<double>();
    if (v < least || v > most) expected("a number in " + json(least).dump() + ".." + json(most).dump());
    return v;
  }
  /// true or false. Throws trm::error for anything else.
  bool boolean() const {
    if (!value_->is_boolean()) expected("true or false");
    return value_->get<bool>();
  }
  /// A string. Throws trm::error for anything else.
  const std::string& string() const {
    if (!value_->is_string()) expected("a string");
    return value_->get_ref<const std::string&>();
  }
  /// An array of strings.
  std::vector<std::string> strings() const {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < size(); ++i) out.push_back(at(i).string());
    return out;
  }
  /// An array of integers.
  std::vector<std::int64_t> integers(std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                                     std::int64_t most = std::numeric_limits<std::int64_t>::max()) const {
    std::vector<std::int64_t> out;
    for (std::size_t i = 0; i < size(); ++i) out.push_back(at(i).integer(least, most));
    return out;
  }

  /// Throws `expected WHAT, found VALUE`.
  [[noreturn]] void expected(const std::string& what) const {
    const bool container = value_->is_structured() && !value_->empty();
    const auto replace = json::error_handler_t::replace;
    fail("expected " + what + ", found " +
         (container ? std::string(value_->is_array() ? "an array" : "an object")
                    : detail::printable(value_->dump(-1, ' ', true, replace), 60)));
  }

 private:
  static std::string escaped(const std::string& key) {  // RFC 6901
    std::string out;
    for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
  }

  const json* value_;
  std::string file_, pointer_;
};

}  // namespace trm
