// SPDX-License-Identifier: MIT
#include "../../../examples/program/provenance.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"

namespace {

using program::provenance;
using trm::json;
using trm_test::get;
using trm_test::put;
using trm_test::temporary_folder;

TEST_CASE("what a start says: when, how, which build, which machine") {
  const json facts = program::start_facts(7, 2);
  CHECK(facts.at("step") == 7);
  CHECK(facts.at("threads") == 2);
  CHECK(facts.at("time").get<std::string>().size() == std::string("2026-01-31T12:59:59Z").size());
  CHECK(facts.at("time").get<std::string>().ends_with("Z"));
  REQUIRE_FALSE(facts.at("command").empty());
  CHECK(facts.at("command")[0].get<std::string>() == program::command_line()[0]);
  CHECK(facts.at("version") == trm::version_string);
  CHECK(facts.at("commit") == "unknown");  // this program is linked without build_facts.cpp
  CHECK(facts.at("system").get<std::string>().find("Linux") != std::string::npos);
  CHECK(facts.at("memory_mib") > 0);
  CHECK(facts.at("processors") >= 1);
  CHECK(facts.at("instruction_sets")[0] == trm::cpu::name(trm::cpu::current_isa()));
#if defined(__clang__)
  CHECK(facts.at("compiler").get<std::string>().starts_with("clang 1"));
#else
  CHECK(facts.at("compiler").get<std::string>().starts_with("g++ 1"));
#endif
}

TEST_CASE("a run's provenance grows with its starts and checkpoints") {
  const temporary_folder folder;
  const auto file = folder / "provenance.json";
  put(folder / "train.csv", "abc");
  const std::vector<program::dataset_facts> data{
      program::hash_dataset({folder / "train.csv"}, {folder.path()}, "train", {{"augmentations", 3}})};
  {
    provenance p(file, "trm-sudoku", {{"lr", 1e-3}}, {{"hidden", 8}}, data);
    p.start({{"step", 0}, {"threads", 1}, {"host", "\xff"}});  // no UTF-8
    p.checkpoint(10, "aa");
    p.checkpoint(20, "bb");
    p.checkpoint(30, "cc");
  }
  provenance resumed(file);
  resumed.start({{"step", 20}, {"threads", 2}});
  const json written = trm::read_json(file);
  CHECK(written.at("program") == "trm-sudoku");
  CHECK(written.at("configuration") == json{{"lr", 1e-3}});
  CHECK(written.at("model") == json{{"hidden", 8}});
  REQUIRE(written.at("data").size() == 1);
  CHECK(written.at("data")[0].at("fingerprint") == data[0].fingerprint());
  REQUIRE(written.at("starts").size() == 2);
  CHECK(written.at("starts")[1].at("step") == 20);
  CHECK(written.at("checkpoints") == json{{"step_10", "aa"}, {"step_20", "bb"}});
}

TEST_CASE("another file in its place is refused, and stays as it is") {
  const temporary_folder folder;
  const auto file = folder / "provenance.json";
  for (const char* text : {"", "{", "[]", "{}", R"({"format":"other"})", R"({"format":"trm.provenance.1","starts":{}})",
                           R"({"format":"trm.provenance.1","starts":[],"checkpoints":[]})"}) {
    put(file, text);
    trm_test::check_error([&] { provenance p(file); }, "provenance.json");
    CHECK(get(file) == text);
  }
  std::filesystem::remove(file);
  trm_test::check_error([&] { provenance p(file); }, "provenance.json: cannot open");
}

}  // namespace
