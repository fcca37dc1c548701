// SPDX-License-Identifier: MIT
// Puzzles in the published table: columns source, q (or question), a (or answer) and rating.
#pragma once
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "trm/core/error.hpp"
#include "trm/data/sudoku/board.hpp"
#include "trm/data/sudoku/text.hpp"
#include "trm/io/csv.hpp"

namespace trm::sudoku {

/// A row of the table.
struct puzzle {
  board question;           // q or question: the clues
  board solution;           // a or answer
  std::int64_t rating = 0;  // search effort, see rating()
  std::string source{};     // where the puzzle is from
};

/// Reads the table record by record; memory: one record. Every row is checked: q has 16, 36 or 81 characters, as many as
/// the first row; a is a solved board that has the clues of q; rating is a whole number. The columns may be in any
/// order, others are passed over.
///   for (puzzle_reader r("train.csv"); r.next();) use(r.current());
class puzzle_reader {
 public:
  /// \throws trm::error where the file cannot be read or a column is missing
  explicit puzzle_reader(const std::filesystem::path& path) : puzzle_reader(csv_reader(path)) {}
  /// From memory that the caller keeps; `place` is what errors name.
  puzzle_reader(std::string_view text, std::string place) : puzzle_reader(csv_reader(text, std::move(place))) {}

  /// False at the end.
  /// \throws trm::error `train.csv: line 7: column "q": ...`
  bool next() {
    if (!table_.next()) return false;
    read_board(question_, current_.question);
    if (size_ == 0) size_ = current_.question.size();
    if (current_.question.size() != size_) {
      table_.fail(question_, std::to_string(current_.question.cells()) + " characters after rows of " +
                                 std::to_string(size_ * size_) + ": one size a file");
    }
    if (table_[solution_].empty()) {
      table_.fail(solution_, "empty: a row needs its solution, solve the puzzle first and write it there");
    }
    read_board(solution_, current_.solution);
    if (current_.solution.size() != size_) table_.fail(solution_, "has another length than \"q\"");
    if (!is_solved(current_.solution)) table_.fail(solution_, "not a solved board: a digit is missing or occurs twice");
    if (!extends(current_.solution, current_.question))
      table_.fail(solution_, "has other digits than the clues of \"q\"");
    read_rating();
    current_.source = table_[source_];
    return true;
  }

  const puzzle& current() const { return current_; }  // the row that was read last
  std::size_t line() const { return table_.line(); }  // of the table, where that row stands; 1 is the first
  /// Of the rows so far; 0 before the first.
  int size() const { return size_; }

 private:
  explicit puzzle_reader(csv_reader table)
      : table_(std::move(table)),
        source_(table_.column("source")),
        question_(either("q", "question")),
        solution_(either("a", "answer")),
        rating_(table_.column("rating")) {}

  /// The column under its short name, or its long one.
  std::size_t either(std::string_view name, std::string_view other) const {
    const auto header = table_.header();
    const bool short_one = std::ranges::find(header, name) != header.end();
    return table_.column(!short_one && std::ranges::find(header, other) != header.end() ? other : name);
  }

  void read_board(std::size_t column, board& b) {
    const std::string_view text = table_[column];
    const int size = size_of_cells(text.size());
    if (size == 0) table_.fail(column, std::to_string(text.size()) + " characters, expected 16, 36 or 81");
    if (b.size() != size) b = board(size);
    for (int i = 0; i < size * size; ++i) {
      const char c = text[static_cast<std::size_t>(i)];
      const int digit = c == '.' ? 0 : c - '0';
      if (digit < 0 || digit > size) {
        table_.fail(column, "character " + std::to_string(i + 1) + " is " +
                                trm::detail::printable(text.substr(static_cast<std::size_t>(i), 1)) +
                                ", expected 1 to " + std::to_string(size) + ", or . for an empty cell");
      }
      b[i] = static_cast<std::uint8_t>(digit);
    }
  }

  void read_rating() {
    const std::string_view text = table_[rating_];
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), current_.rating);
    if (failed != std::errc() || end != text.data() + text.size() || current_.rating < 0) {
      table_.fail(rating_, trm::detail::printable(text, 40) + " is not a whole number from 0");
    }
  }

  csv_reader table_;
  std::size_t source_, question_, solution_, rating_;
  puzzle current_;
  int size_ = 0;
};

/// Writes such a table; it is at its place after commit().
class puzzle_writer {
 public:
  /// Opens a table of columns source, q, a, rating. The file appears under its name with commit().
  explicit puzzle_writer(const std::filesystem::path& path) : table_(path, {"source", "q", "a", "rating"}) {}
  /// Appends a row.
  void write(const puzzle& p) {
    table_.write({p.source, to_line(p.question), to_line(p.solution), std::to_string(p.rating)});
  }
  void commit() { table_.commit(); }  // throws trm::error where it cannot be written

 private:
  csv_writer table_;
};

}  // namespace trm::sudoku
