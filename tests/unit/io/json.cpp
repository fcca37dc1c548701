// SPDX-License-Identifier: MIT
#include "trm/io/json.hpp"

#include <doctest/doctest.h>

#include "support/corruption.hpp"
#include "support/temporary_folder.hpp"

namespace {

using trm::parse_json;

std::string message(const std::string& text) {
  try {
    parse_json(text, "f.json");
  } catch (const trm::error& e) {
    return e.what();
  }
  return "accepted";
}
bool accepted(const std::string& text) { return message(text) == "accepted"; }

TEST_CASE("documents of every kind are read as nlohmann's own parser reads them") {
  for (const char* text : {"null", "true", " [1, -2, 3.5, 1e3, \"x\\u00e9\\n\"] ", "{}", "[]", "\"\"", "0", "-0.0",
                           "{\"a\": {\"b\": [[], {}, {\"c\": 18446744073709551615}]}, \"\": [null, false]}"}) {
    CHECK(parse_json(text, "t") == trm::json::parse(text));
  }
}

TEST_CASE("an error says file, line, column and what") {
  CHECK(message("{\"a\": 1,\n \"b\": nope}").find("f.json:2:8: syntax error") == 0);
  CHECK(message("{\"a\": 1,\n  \"a\": 2}") == "f.json:2:5: the key \"a\" occurs twice");
  CHECK(message("").find("f.json:1:0: syntax error") == 0);
  CHECK(message("[1, 2").find("f.json:1:") == 0);
}

TEST_CASE("what strict JSON forbids is refused") {
  for (const char* text : {"NaN",   "[Infinity]", "-Infinity", "1e999",    "[-1e400]",     "[1,]",        "{\"a\":1,}",
                           "{a:1}", "'a'",        "01",        "1.",       "+1",           "// c\n1",     "/* c */ 1",
                           "1 2",   "{} x",       "\"\x01\"",  "\"\xff\"", "\"\xc0\xaf\"", "\"\\ud800\"", "[",
                           "]",     "{\"a\"}",    "tru",       "\xff\xfe", "\"\\x\""}) {
    CHECK_MESSAGE(!accepted(text), text);
  }
  CHECK(!accepted(std::string("{}\0x", 4)));
  CHECK(!accepted(std::string("{}\0", 3)));
  CHECK(!accepted(std::string("\0", 1)));
}

TEST_CASE("equal keys are refused at any depth, equal keys of different objects are not") {
  CHECK(!accepted(R"([{"x": {"k": 1, "l": 2, "k": 1}}])"));
  CHECK(!accepted(R"({"a": {}, "a": {}})"));
  CHECK(!accepted(R"({"a": 1, "\u0061": 2})"));
  CHECK(accepted(R"([{"k": {"k": 1}}, {"k": [{"k": 1}, {"k": 2}]}])"));
}

TEST_CASE("depth: 64 is read, 65 is refused, a million brackets neither overflow the stack nor take long") {
  const auto nested = [](int n) {
    return std::string(static_cast<std::size_t>(n), '[') + std::string(static_cast<std::size_t>(n), ']');
  };
  CHECK(accepted(nested(64)));
  CHECK(message(nested(65)) == "f.json:1:65: nested deeper than 64");
  CHECK(!accepted(nested(1'000'000)));
  CHECK(!accepted(std::string(1'000'000, '[')));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK(!accepted(objects));
}

TEST_CASE("messages are one short line of ASCII whatever they quote") {
  const std::string m = message("{\"" + std::string(100'000, 'k') + "\":1, \"" + std::string(100'000, 'k') + "\":2}");
  CHECK(m.size() < 300);
  CHECK(message("{\"\xc3\xa9\":1,\"\xc3\xa9\":2}") == "f.json:1:12: the key \"??\" occurs twice");
  CHECK(message("[\"" + std::string(100'000, 'x')).size() < 400);
}

TEST_CASE("a document in a file; an absent file") {
  const trm_test::temporary_folder folder;
  trm_test::put(folder / "f", "[1]");
  CHECK(trm::read_json(folder / "f")[0] == 1);
  trm_test::put(folder / "f", "[1\n2]");
  const std::string place = (folder / "f").string() + ":2:2: ";
  try {
    trm::read_json(folder / "f");
    FAIL("accepted");
  } catch (const trm::error& e) {
    CHECK(std::string(e.what()).find(place) == 0);
  }
  CHECK_THROWS_AS(trm::read_json(folder / "g"), trm::error);
}

TEST_CASE("typed fields, and errors that name file, place and what was found") {
  const trm::json document = parse_json(
      R"({"n": "abc", "i": 7, "big": 18446744073709551615, "f": 2.0, "l": ["a", 1], "o": {"a/b~": null}, "t": true})",
      "x");
  const trm::json_field root(document, "d.json");
  CHECK(root.at("i").integer() == 7);
  CHECK(root.at("i").integer(1, 7) == 7);
  CHECK(root.at("i").number() == 7);
  CHECK(root.at("f").number() == 2);
  CHECK(root.at("t").boolean());
  CHECK(root.at("l").at(0).string() == "a");
  CHECK(root.at("l").size() == 2);
  CHECK(root.at("o").at("a/b~").is_null());
  CHECK(!root.find("absent"));
  const auto fails = [](auto&& f, const std::string& expected) {
    CHECK_THROWS_WITH_AS(f(), expected.c_str(), trm::error);
  };
  fails([&] { root.at("n").integer(1); }, "d.json: /n: expected an integer in 1.., found \"abc\"");
  fails([&] { root.at("i").integer(1, 6); }, "d.json: /i: expected an integer in 1..6, found 7");
  fails([&] { root.at("i").integer(8); }, "d.json: /i: expected an integer in 8.., found 7");
  fails([&] { root.at("f").integer(); }, "d.json: /f: expected an integer, found 2.0");
  fails([&] { root.at("big").integer(); }, "d.json: /big: expected an integer, found 18446744073709551615");
  fails([&] { root.at("t").number(); }, "d.json: /t: expected a number, found true");
  fails([&] { root.at("f").number(0, 1); }, "d.json: /f: expected a number in 0.0..1.0, found 2.0");
  fails([&] { root.at("i").boolean(); }, "d.json: /i: expected true or false, found 7");
  fails([&] { root.at("l").string(); }, "d.json: /l: expected a string, found an array");
  fails([&] { root.at("l").strings(); }, "d.json: /l/1: expected a string, found 1");
  fails([&] { root.at("l").integers(); }, "d.json: /l/0: expected an integer, found \"a\"");
  fails([&] { root.at("l").at(2); }, "d.json: /l: expected more than 2 elements, found 2");
  fails([&] { root.at("o").at("a/b~").string(); }, "d.json: /o/a~1b~0: expected a string, found null");
  fails([&] { root.at("absent"); }, "d.json: /: \"absent\" is missing");
  fails([&] { root.at("i").find("x"); }, "d.json: /i: expected an object, found 7");
  fails([&] { root.at("o").size(); }, "d.json: /o: expected an array, found an object");
  fails([&] { root.at("o").only({"a"}); }, "d.json: /o: unknown key \"a/b~\"");
  root.at("o").only({"a", "a/b~"});
}

TEST_CASE("arbitrary bytes give a document or a trm::error") {
  const auto counts =
      trm_test::corrupt(R"({"pad_id": 0, "m": 5.66875e0, "sets": ["all", "\u00e9\n"], "n": null, "t": [true, {}]})",
                        [](const std::string& bytes) { parse_json(bytes, "f.json"); }, 20'000);
  CHECK(counts.accepted > 50);
  CHECK(counts.refused > 500);
}

}  // namespace
