// SPDX-License-Identifier: MIT
#include "trm/data/sudoku/csv.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/corruption.hpp"
#include "support/temporary_folder.hpp"
#include "support/throws.hpp"

using namespace trm::sudoku;
using trm_test::check_error;

static const std::string q = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79";
static const std::string a = "534678912672195348198342567859761423426853791713924856961537284287419635345286179";

static std::vector<puzzle> read(const std::string& text) {
  std::vector<puzzle> rows;
  for (puzzle_reader r(text, "t.csv"); r.next();) rows.push_back(r.current());
  return rows;
}

TEST_CASE("rows of the published table") {
  const auto rows = read("source,q,a,rating\nputs,\"" + q + "\"," + a + ",7\r\n\n\"x,y\"," + a + "," + a + ",0");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].source == "puts");
  CHECK(to_line(rows[0].question) == q);
  CHECK(to_line(rows[0].solution) == a);
  CHECK(rows[0].rating == 7);
  CHECK(rows[1].source == "x,y");
  CHECK(rows[1].question == rows[1].solution);
  // A byte order mark, another order of columns, a further one, 0 for an empty cell, another size.
  const auto small = read("\xef\xbb\xbfrating,note,a,q,source\n1,,1234341221434321,1000000000000001,s\n");
  REQUIRE(small.size() == 1);
  CHECK(to_line(small[0].question) == "1..............1");
  CHECK(read("source,q,a,rating\n").empty());
}

TEST_CASE("columns have short or long names") {
  for (const char* head : {"q,a", "question,answer", "q,answer", "question,a"}) {
    CAPTURE(head);
    const auto rows = read("source," + std::string(head) + ",rating\ns,1...............,1234341221434321,2\n");
    REQUIRE(rows.size() == 1);
    CHECK(to_line(rows[0].question) == "1...............");
    CHECK(rows[0].rating == 2);
  }
  // A mistake is told under the column's own name; a column that is missing under its short one.
  check_error([] { read("source,question,answer,rating\ns,1...............,1234,2\n"); }, "column \"answer\"");
  check_error([] { read("source,Question,answer,rating\n"); }, "no column \"q\"");
}

TEST_CASE("what is written is read back") {
  const trm_test::temporary_folder folder;
  puzzle_writer writer(folder / "t.csv");
  writer.write({parse_puzzle(q), parse_puzzle(a), 12, "trm"});
  writer.commit();
  CHECK(trm_test::get(folder / "t.csv") == "source,q,a,rating\ntrm," + q + "," + a + ",12\n");
  puzzle_reader reader(folder / "t.csv");
  REQUIRE(reader.next());
  CHECK(reader.size() == 9);
  CHECK(reader.line() == 2);
  CHECK(to_line(reader.current().question) == q);
  CHECK_FALSE(reader.next());
}

TEST_CASE("every mistake has its file, line and column") {
  const std::string head = "source,q,a,rating\n", good = "s," + q + "," + a + ",0\n";
  const auto refused = [&](const std::string& row, const char* words) {
    check_error([&] { read(head + good + row); }, "t.csv: line 3");
    check_error([&] { read(head + good + row); }, words);
  };
  refused("s," + q.substr(1) + "," + a + ",0\n", "column \"q\": 80 characters");
  refused("s,1..............4,1234341221434321,0\n", "one size a file");
  refused("s," + q + ",,0\n", "column \"a\": empty: a row needs its solution");
  refused("s," + q + "," + a.substr(1) + ",0\n", "column \"a\": 80 characters");
  refused("s," + q + ",1234341221434321,0\n", "column \"a\"");
  refused("s," + q + "," + q + ",0\n", "not a solved board");
  refused("s,4" + q.substr(1) + "," + a + ",0\n", "other digits than the clues");
  refused("s,x" + q.substr(1) + "," + a + ",0\n", "column \"q\": character 1 is x");
  refused("s," + q + "," + a + ",\n", "column \"rating\"");
  refused("s," + q + "," + a + ",-1\n", "whole number");
  refused("s," + q + "," + a + ",1.5\n", "whole number");
  refused("s," + q + "," + a + ",99999999999999999999\n", "whole number");
  refused("s," + q + "," + a + "\n", "t.csv: line 3");
  refused("s," + q + "," + a.substr(0, 40), "t.csv: line 3");  // cut off
  check_error([&] { read("source,q,rating\n" + good); }, "no column \"a\"");
  check_error([&] { read(""); }, "t.csv: empty");
}

TEST_CASE("arbitrary bytes are rows or an error of one line") {
  const std::string text =
      "source,q,a,rating\n\"s\",1..............1,1234341221434321,0\r\nt,12..............,1234341221434321,5\n";
  const auto counts = trm_test::corrupt(text, [](const std::string& bytes) { (void)read(bytes); });
  CHECK(counts.refused > 500);
  CHECK(counts.accepted > 50);
}
