// SPDX-License-Identifier: MIT
// Tables of mazes: the columns source, question, answer and rating of the published files.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "trm/data/maze/grid.hpp"
#include "trm/io/csv.hpp"

namespace trm::maze {

/// One maze of a table.
struct csv_row {
  std::string source;     // where the maze is from
  grid question, answer;  // without a path; with it
  /// As written; the published builder does not look at it.
  std::string rating;
};

/// Reads a table of mazes row by row. As for the published builder, columns count by their place, not by their name:
/// source, question, answer, rating. Question and answer have side * side characters of "# SGo", the same side in every
/// row.
class csv_rows {
 public:
  /// \throws trm::error where the file cannot be read, has no header or not four columns
  explicit csv_rows(const std::filesystem::path& file) : table_(file) { check_header(); }
  /// Reads from memory that the caller keeps; `place` is what errors name.
  csv_rows(std::string_view text, std::string place) : table_(text, std::move(place)) { check_header(); }

  /// Goes to the next row; false at the end.
  /// \throws trm::error with file, line, column and cell where it is not as described
  bool next() {
    if (!table_.next()) return false;
    row_.source = table_[0];
    row_.question = read_grid(1);
    row_.answer = read_grid(2);
    row_.rating = table_[3];
    return true;
  }
  /// Valid until next().
  const csv_row& row() const { return row_; }
  /// The line on which it begins.
  std::size_t line() const { return table_.line(); }

 private:
  void check_header() const {
    if (table_.header().size() != 4) {
      table_.fail(std::to_string(table_.header().size()) + " columns, expected source, question, answer, rating");
    }
    const std::string& name = table_.header()[1];
    if (name.size() > 1 && name.find_first_not_of(characters) == name.npos) {
      table_.fail("begins with a maze, expected the names of the columns: source,q,a,rating");
    }
  }
  grid read_grid(std::size_t column) {
    grid g = parse_line(table_[column], table_.place(column));
    if (side_ == 0) side_ = g.side();
    if (g.side() != side_) {
      table_.fail(column, "a side of " + std::to_string(g.side()) + " behind mazes of side " + std::to_string(side_));
    }
    return g;
  }

  csv_reader table_;
  csv_row row_;
  int side_ = 0;
};

/// Writes such a table; it is at its place after commit().
class csv_rows_writer {
 public:
  /// Opens a table of columns source, q, a, rating. The file appears under its name with commit().
  explicit csv_rows_writer(const std::filesystem::path& file) : table_(file, {"source", "q", "a", "rating"}) {}
  /// appends a row
  void write(const csv_row& row) { table_.write({row.source, to_line(row.question), to_line(row.answer), row.rating}); }
  void commit() { table_.commit(); }  // throws trm::error where it cannot be written

 private:
  csv_writer table_;
};

}  // namespace trm::maze
