// SPDX-License-Identifier: MIT
#include "../../../examples/program/model_card.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

program::card_facts facts() {
  const trm::config c{.tokens = 900, .vocab = 12, .hidden = 64, .heads = 2, .puzzle_positions = 1, .puzzle_width = 64};
  program::card_facts f;
  f.name = "first";
  f.program = "trm-arc";
  f.config = {{"config", trm::to_json(c)},
              {"preset", "small"},
              {"step", 7},
              {"weights", "ema"},
              {"metrics", {{"ARC/pass@2", 0.25}, {"test/examples", 12.0}, {"test/all/exact_accuracy", 0.5}}}};
  f.counts = {.tensors = 3, .numbers = 10, .rows = 4, .types = {"float32"}};
  return f;
}
bool has(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("a card says what is known, and nothing else") {
  const std::string card = program::model_card(facts());
  CHECK(card.starts_with("---\n# license: to be said"));
  CHECK(has(card, "library_name: trm\n"));
  CHECK(has(card, "- type: \"ARC/pass@2\"\n            value: 0.25\n"));
  CHECK(has(card, "| `ARC/pass@2` | 0.25 | mean over tasks"));
  CHECK_FALSE(has(card, "test/examples"));  // a count is no metric
  CHECK(has(card, "10 in 3 tensors, float32"));
  CHECK(has(card, "trm-arc evaluate --checkpoint FOLDER"));
  CHECK(has(card, "A new puzzle needs a row of its own"));
  CHECK_FALSE(has(card, "## Training"));

  program::card_facts nothing = facts();
  nothing.config = {{"config", facts().config["config"]}};
  nothing.counts.rows = 0;
  const std::string less = program::model_card(nothing);
  CHECK(has(less, "records no evaluation"));
  CHECK_FALSE(has(less, "model-index"));
  CHECK(has(less, "The puzzle table was left out"));
}

TEST_CASE("what a run says of itself, without the paths of its machine") {
  program::card_facts f = facts();
  f.license = "mit";
  f.options = "[train]\ndata = [\"/home/me/arc2\"]\nrun = \"/home/me/run\"\nlr = 0.001\n";
  f.provenance = trm::parse_json(R"({"configuration": {"data": ["/home/me/arc2/", 5]},
    "data": [{"split": "train", "fingerprint": "abc"}, 7],
    "starts": [{"version": "0.1.0", "commit": "123", "compiler": "g++ 12", "flags": "-O3", "processor": "fast"}]})",
                                 "provenance");
  const std::string card = program::model_card(f);
  CHECK(has(card, "\nlicense: \"mit\"\n"));
  CHECK(has(card, "Data: `arc2`."));
  CHECK(has(card, "name: \"arc2\""));
  CHECK(has(card, "Split `train`: fingerprint `abc`."));
  CHECK(has(card, "commit `123`"));
  CHECK(has(card, "    lr = 0.001\n"));
  CHECK_FALSE(has(card, "/home/me"));
  f.provenance["configuration"]["data"] = "[ '/home/me/one', '/home/me/two' ]";  // as config.toml has it
  CHECK(has(program::model_card(f), "Data: `one, two`."));
}

TEST_CASE("names from outside do not break the front matter or a table") {
  program::card_facts f = facts();
  f.name = "a\n---\n\"b\" \xff";
  f.license = "x\ny: z";
  f.config["preset"] = "`p` | q\n| r";
  f.config["metrics"] = {{"test/all/accuracy", nullptr}, {"ARC/pass@2 |\n", 1}};
  f.provenance = trm::json::array({1});
  const std::string card = program::model_card(f);
  CHECK(has(card, "license: \"x\\ny: z\"\n"));
  CHECK(card.find("\n---\n") == card.rfind("\n---\n"));
  CHECK(has(card, "| preset | `'p' ' q?' r` |"));
  f.provenance = {{"configuration", 5}, {"data", 5}, {"starts", {5}}};
  CHECK(has(program::model_card(f), "## Limits"));
}

TEST_CASE("every metric that is defined has one definition") {
  CHECK(program::metric_definition("test/all/exact_accuracy") != program::metric_definition("test/all/accuracy"));
  CHECK(program::metric_definition("ARC/pass@2") != program::metric_definition("ARC/pass@2 of inputs"));
  CHECK(program::metric_definition("test/all/count").empty());
  CHECK(program::metric_definition("accuracy") == program::metric_definition("test/other/accuracy"));
}
