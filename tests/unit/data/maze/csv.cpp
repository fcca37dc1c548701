// SPDX-License-Identifier: MIT
#include "trm/data/maze/csv.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/corruption.hpp"
#include "support/temporary_folder.hpp"
#include "support/throws.hpp"

using namespace trm::maze;
using trm_test::check_error;

static std::vector<csv_row> read(std::string_view text) {
  std::vector<csv_row> rows;
  for (csv_rows table(text, "t.csv"); table.next();) rows.push_back(table.row());
  return rows;
}

TEST_CASE("rows are read by the place of their columns, whatever these are called") {
  for (const char* header : {"source,q,a,rating", "source,question,answer,rating"}) {
    const auto rows = read(std::string("\xef\xbb\xbf") + header + "\r\nx,S  G,SooG,2\r\n\"y, z\",\"S#G \",S#G ,");
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].source == "x");
    CHECK(to_line(rows[0].question) == "S  G");
    CHECK(to_line(rows[0].answer) == "SooG");
    CHECK(rows[0].rating == "2");
    CHECK(rows[1].source == "y, z");
    CHECK(rows[1].rating.empty());
  }
}

TEST_CASE("what is no row is refused with its line, column and cell") {
  const std::string header = "source,q,a,rating\n";
  check_error([&] { read(header + "x,S  G,SooG,2\nx,S  G,SoxG,2\n"); },
              "t.csv: line 3: column \"a\": cell 3 (row 2, column 1): 'x' is no cell of a maze");
  check_error([&] { read(header + "x,S  G,SooG,2\nx,S  G,So"); }, "t.csv: line 3: 3 fields, the header has 4");
  check_error([&] { read(header + "x,S  G,SooG,2\nx,S  G,Soo,2"); },
              "line 3: column \"a\": 3 characters are not a square");
  check_error([&] { read(header + "x,S  G,SoooooooG,2\n"); }, "column \"a\": a side of 3 behind mazes of side 2");
  check_error([&] { read(header + "x,S  G,SooG,2\nx,SoooooooG,S  G,2\n"); }, "line 3: column \"q\": a side of 3");
  check_error([&] { read("source,q,a\n"); }, "t.csv: line 1: 3 columns, expected source, question, answer, rating");
  check_error([&] { read("x,S  G,SooG,2\n"); }, "t.csv: line 1: begins with a maze, expected the names of the columns");
}

TEST_CASE("what is written is read again") {
  const trm_test::temporary_folder folder;
  csv_rows_writer writer(folder / "t.csv");
  writer.write({"a, \"b\"", parse_line("S  G", "m"), parse_line("SooG", "m"), "2"});
  writer.commit();
  CHECK(trm_test::get(folder / "t.csv") == "source,q,a,rating\n\"a, \"\"b\"\"\",S  G,SooG,2\n");
  csv_rows table(folder / "t.csv");
  REQUIRE(table.next());
  CHECK(table.row().source == "a, \"b\"");
  CHECK(to_line(table.row().answer) == "SooG");
  CHECK(!table.next());
}

TEST_CASE("whatever the bytes, mazes of one side or a trm::error") {
  const std::string valid = "source,q,a,rating\r\nx,S  G,SooG,2\r\n\"y\",S#G ,\"S#G \",\n";
  REQUIRE(read(valid).size() == 2);
  const auto counts = trm_test::corrupt(valid, [](const std::string& text) {
    const auto rows = read(text);
    for (const csv_row& row : rows) {
      CHECK(row.question.side() == rows[0].question.side());
      CHECK(row.answer.side() == rows[0].question.side());
    }
  });
  CHECK(counts.accepted > 0);
  CHECK(counts.refused > 0);
}
