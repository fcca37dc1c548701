// SPDX-License-Identifier: MIT
// Comma-separated values (RFC 4180): records read one by one from a mapped file, and written.
#pragma once
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/file.hpp"
#include "trm/io/json.hpp"

namespace trm {

/// Reads a table whose first record names its columns:
///   csv_reader table("train.csv");
///   const std::size_t question = table.column("q");
///   while (table.next()) use(table[question]);
/// Fields are quoted or not, a quote within quotes is doubled, lines end with LF or CRLF (the last one need not end), a
/// byte order mark is passed over, and so are empty lines. Every record has as many fields as there are columns.
/// Memory: one record. Every error is a trm::error that begins `train.csv: line 7`.
class csv_reader {
 public:
  /// Maps the file.
  /// \throws trm::error where it cannot be read or has no header
  explicit csv_reader(const std::filesystem::path& path) : file_(path), rest_(text_of(file_)), place_(path.string()) {
    read_header();
  }
  /// Reads from memory that the caller keeps; `place` is what errors name.
  csv_reader(std::string_view text, std::string place) : rest_(text), place_(std::move(place)) { read_header(); }

  /// The names of the columns.
  std::span<const std::string> header() const { return header_; }
  /// The number of the column of this name.
  /// \throws trm::error where there is none
  std::size_t column(std::string_view name) const {
    const auto found = std::ranges::find(header_, name);
    if (found == header_.end()) {
      std::string names;
      for (const std::string& each : header_) names += (names.empty() ? "" : ", ") + detail::printable(each, 40);
      throw error(place_, "no column \"" + std::string(name) + "\", there are: " + detail::printable(names, 200));
    }
    return static_cast<std::size_t>(found - header_.begin());
  }

  /// Goes to the next record; false at the end.
  /// \throws trm::error where the record is malformed or has not one field for every column
  bool next() {
    if (!next_record()) return false;
    if (fields_.size() != header_.size()) {
      fail(std::to_string(fields_.size()) + " fields, the header has " + std::to_string(header_.size()));
    }
    return true;
  }
  /// Field i of the record, without quotes; requires i < header().size(). Valid until next().
  std::string_view operator[](std::size_t i) const {
    const field& f = fields_[i];
    return f.unquoted ? std::string_view(unquoted_).substr(f.begin, f.size) : record_.substr(f.begin, f.size);
  }
  /// The line on which the record begins, from 1.
  std::size_t line() const { return line_; }

  /// Where the record is, to begin an error with: `train.csv: line 7`; and a field of it: `train.csv: line 7: column
  /// "q"`.
  std::string place() const { return place_ + ": line " + std::to_string(line_); }
  std::string place(std::size_t column) const {
    return place() + ": column \"" + detail::printable(header_[column], 40) + '"';
  }
  /// Refuses the record, a field of it.
  [[noreturn]] void fail(const std::string& what) const { throw error(place(), what); }
  [[noreturn]] void fail(std::size_t column, const std::string& what) const { throw error(place(column), what); }

 private:
  /// A field is a piece of the record, or of unquoted_ where doubled quotes had to be taken out.
  struct field {
    std::size_t begin, size;
    bool unquoted;
  };

  static std::string_view text_of(const mapped_file& file) {
    return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
  }

  void read_header() {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (rest_.substr(0, 3) == byte_order_mark) rest_.remove_prefix(3);
    if (!next_record()) throw error(place_, "empty, expected a line that names the columns");
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const std::string name((*this)[i]);
      if (std::ranges::find(header_, name) != header_.end()) {
        fail("two columns are named \"" + detail::printable(name, 40) + "\"");
      }
      header_.push_back(name);
    }
    fields_.clear();
  }

  /// The length of the line break at `at` of the rest; 0 where there is none.
  std::size_t line_break(std::size_t at) const {
    if (at >= rest_.size()) return 0;
    if (rest_[at] == '\n') return 1;
    return rest_[at] == '\r' && at + 1 < rest_.size() && rest_[at + 1] == '\n' ? 2 : 0;
  }

  bool next_record() {
    fields_.clear();
    unquoted_.clear();
    line_ += breaks_;
    breaks_ = 0;
    while (const std::size_t empty = line_break(0)) {
      rest_.remove_prefix(empty);
      ++line_;
    }
    if (rest_.empty()) return false;
    std::size_t at = 0;
    for (;; ++at) {
      at = rest_[at] == '"' ? quoted_field(at) : plain_field(at);
      if (at == rest_.size() || rest_[at] != ',') break;
      if (at + 1 == rest_.size()) {  // a comma at the very end: an empty field follows
        fields_.push_back({++at, 0, false});
        break;
      }
    }
    record_ = rest_.substr(0, at);
    if (const std::size_t length = line_break(at)) {
      at += length;
      ++breaks_;
    } else if (at < rest_.size()) {
      fail("a carriage return without a line feed");
    }
    rest_.remove_prefix(at);
    return true;
  }

  /// Both return where the field ends: at a comma, a line break or the end.
  std::size_t plain_field(std::size_t begin) {
    const std::size_t end = std::min(rest_.find_first_of(",\n\r\"", begin), rest_.size());
    if (end < rest_.size() && rest_[end] == '"') fail("a quote within a field that does not begin with one");
    fields_.push_back({begin, end - begin, false});
    return end;
  }
  std::size_t quoted_field(std::size_t open) {
    field f{open + 1, 0, false};
    for (std::size_t from = open + 1;;) {
      const std::size_t quote = rest_.find('"', from);
      if (quote == rest_.npos) fail("a quoted field has no closing quote");
      const std::string_view piece = rest_.substr(from, quote - from);
      breaks_ += static_cast<std::size_t>(std::ranges::count(piece, '\n'));
      const bool doubled = quote + 1 < rest_.size() && rest_[quote + 1] == '"';
      if (doubled && !f.unquoted) f = {unquoted_.size(), 0, true};
      if (f.unquoted) unquoted_ += piece;
      f.size += piece.size();
      from = quote + 1;
      if (!doubled) {
        fields_.push_back(f);
        if (from < rest_.size() && rest_[from] != ',' && line_break(from) == 0) {
          fail("expected a comma or the end of the line behind a closing quote");
        }
        return from;
      }
      unquoted_ += '"';
      ++f.size;
      ++from;
    }
  }

  mapped_file file_;
  std::string_view rest_, record_;
  std::string place_, unquoted_;
  std::vector<std::string> header_;
  std::vector<field> fields_;
  std::size_t line_ = 1, breaks_ = 0;  // line breaks within and behind the record
};

/// Writes such a table; it is at its place after commit() (see atomic_file). Fields with a comma, a quote or a line
/// break are quoted, lines end with LF.
class csv_writer {
 public:
  /// Begins a table with these names of columns; the file appears under its name with commit(). Throws trm::error.
  csv_writer(const std::filesystem::path& path, std::initializer_list<std::string_view> header)
      : file_(path), columns_(header.size()) {
    write(header);
  }
  /// One record.
  /// \throws trm::error where there is not one field for every column
  void write(std::span<const std::string_view> fields) {
    if (fields.empty() || fields.size() != columns_) {
      throw error(file_.path().string(),
                  std::to_string(fields.size()) + " fields for " + std::to_string(columns_) + " columns of a table");
    }
    line_.clear();
    for (const std::string_view& field : fields) {
      if (&field != fields.data()) line_ += ',';
      append(field);
    }
    line_ += '\n';
    file_.write(line_);
  }
  void write(std::initializer_list<std::string_view> fields) { write(std::span(fields.begin(), fields.size())); }
  void commit() { file_.commit(); }  // throws trm::error where it cannot be written

 private:
  void append(std::string_view field) {
    // A line that is a single empty field would be passed over by a reader.
    const bool quoted = field.find_first_of(",\"\r\n") != field.npos || (field.empty() && columns_ == 1);
    if (!quoted) {
      line_ += field;
      return;
    }
    line_ += '"';
    for (const char c : field) line_.append(c == '"' ? 2 : 1, c);
    line_ += '"';
  }

  atomic_file file_;
  std::size_t columns_;
  std::string line_;
};

}  // namespace trm
