// SPDX-License-Identifier: MIT
#include "trm/io/csv.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/corruption.hpp"
#include "support/temporary_folder.hpp"
#include "support/throws.hpp"

using trm_test::check_error;
using table = std::vector<std::vector<std::string>>;

/// All records, each behind the line on which it begins.
static table read(std::string_view text) {
  trm::csv_reader reader(text, "t.csv");
  table records;
  while (reader.next()) {
    records.push_back({std::to_string(reader.line())});
    for (std::size_t i = 0; i < reader.header().size(); ++i) records.back().emplace_back(reader[i]);
  }
  return records;
}

TEST_CASE("fields are what stands between the commas; a last line need not end") {
  CHECK(read("a,b\n1,2\n3,4\n") == table{{"2", "1", "2"}, {"3", "3", "4"}});
  CHECK(read("a,b\n1,2\n3,4") == table{{"2", "1", "2"}, {"3", "3", "4"}});
  CHECK(read("a,b\n,\n x ,") == table{{"2", "", ""}, {"3", " x ", ""}});
  CHECK(read("a,b\n") == table{});
  CHECK(read("a,b") == table{});
}

TEST_CASE("CRLF, a byte order mark and empty lines change nothing but line numbers") {
  CHECK(read("\xef\xbb\xbf\r\na,b\r\n\r\n1,2\r\n\n3,4\r\n\r\n") == table{{"4", "1", "2"}, {"6", "3", "4"}});
}

TEST_CASE("within quotes are commas, line breaks and doubled quotes; lines are still counted") {
  CHECK(read("a,\"b\"\n\"1,\r\n2\",\"\"\"x\"\"\n\"\"y\"\nend,\"\"") ==
        table{{"2", "1,\r\n2", "\"x\"\n\"y"}, {"5", "end", ""}});
}

TEST_CASE("columns are found by name") {
  const trm::csv_reader reader("source,q,a,rating\n", "t.csv");
  CHECK(reader.column("source") == 0);
  CHECK(reader.column("rating") == 3);
  check_error([&] { reader.column("answer"); }, "t.csv: no column \"answer\", there are: source, q, a, rating");
}

TEST_CASE("what is malformed is refused with its line") {
  check_error([] { read(""); }, "t.csv: empty, expected a line that names the columns");
  check_error([] { read("\n\r\n"); }, "empty");
  check_error([] { read("a,b,a\n"); }, "t.csv: line 1: two columns are named \"a\"");
  check_error([] { read("a,b\n1,2\n3\n"); }, "t.csv: line 3: 1 fields, the header has 2");
  check_error([] { read("a,b\n1,2,3\n"); }, "line 2: 3 fields");
  check_error([] { read("a,b\n1,2\n\n\"3\n"); }, "line 4: a quoted field has no closing quote");
  check_error([] { read("a,b\n1,x\"y\"\n"); }, "line 2: a quote within a field");
  check_error([] { read("a,b\n\"1\"x,2\n"); },
              "line 2: expected a comma or the end of the line behind a closing quote");
  check_error([] { read("a,b\n1\r,2\n"); }, "line 2: a carriage return without a line feed");
  check_error([] { read("a,b\n1,2\r"); }, "line 2: a carriage return without a line feed");
}

TEST_CASE("a user refuses a record or a field by its line") {
  trm::csv_reader reader("q,rating\n1,2\n", "t.csv");
  REQUIRE(reader.next());
  check_error([&] { reader.fail("no"); }, "t.csv: line 2: no");
  check_error([&] { reader.fail(1, "no"); }, "t.csv: line 2: column \"rating\": no");
}

TEST_CASE("what is written is read again, from a file") {
  const trm_test::temporary_folder folder;
  const auto path = folder / "t.csv";
  const table written = {{"2", "plain", "with, comma"}, {"3", "", "\"two\"\r\nlines"}};
  trm::csv_writer writer(path, {"first", "the \"second\""});
  writer.write({"plain", "with, comma"});
  writer.write({"", "\"two\"\r\nlines"});
  check_error([&] { writer.write({"alone"}); }, "1 fields for 2 columns");
  CHECK(!std::filesystem::exists(path));
  writer.commit();
  CHECK(trm_test::get(path) == "first,\"the \"\"second\"\"\"\nplain,\"with, comma\"\n,\"\"\"two\"\"\r\nlines\"\n");
  trm::csv_reader reader(path);
  CHECK(reader.column("the \"second\"") == 1);
  for (std::size_t i = 0; i < 2; ++i) {
    REQUIRE(reader.next());
    CHECK(reader[0] == written[i][1]);
    CHECK(reader[1] == written[i][2]);
  }
  CHECK(!reader.next());
  CHECK(!reader.next());

  trm::csv_writer single(path, {"only"});
  single.write({""});
  single.commit();
  CHECK(read(trm_test::get(path)) == table{{"2", ""}});
  check_error([&] { trm::csv_reader(folder / "none.csv"); }, "none.csv: cannot open");
}

TEST_CASE("whatever the bytes, records or a trm::error") {
  const std::string valid = "\xef\xbb\xbfsource,q,\"a\"\r\nx,\"1,\"\"2\"\"\n3\",4\n\n5,\"\",\"7\"\r\n8,9,";
  REQUIRE(read(valid).size() == 3);
  const auto counts = trm_test::corrupt(valid, [](const std::string& text) { read(text); });
  CHECK(counts.accepted > 0);
  CHECK(counts.refused > 0);
}
