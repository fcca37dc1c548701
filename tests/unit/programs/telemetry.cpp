// SPDX-License-Identifier: MIT
#include "../../../examples/program/telemetry.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "support/event_file.hpp"
#include "support/temporary_folder.hpp"
#include "support/throws.hpp"

namespace {

using trm::json;
using trm_test::event_scalar;
using trm_test::get;
using trm_test::put;
using trm_test::temporary_folder;
using named = std::pair<std::string, double>;

TEST_CASE("numbers of lines have the published names") {
  CHECK(program::flat_metrics(json{{"step", 3}, {"time", 1.5}, {"train/lm_loss", 0.5}, {"steps_per_second", 2}}) ==
        std::vector<named>{{"steps_per_second", 2}, {"train/lm_loss", 0.5}});
  const json evaluation = {{"step", 3},         {"split", "test"},
                           {"examples", 7},     {"all", {{"exact_accuracy", 0.25}, {"lm_loss", nullptr}}},
                           {"ARC/pass@2", 0.5}, {"ARC/pass@2 interval", {0.1, 0.9}},
                           {"voting", "pooled"}};
  CHECK(program::flat_metrics(evaluation) ==
        std::vector<named>{{"ARC/pass@2", 0.5}, {"test/all/exact_accuracy", 0.25}, {"test/examples", 7}});
}

TEST_CASE("losses are better when they are less, and no number is worse than any") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(program::is_better("test/all/lm_loss", 1, 2));
  CHECK_FALSE(program::is_better("test/all/lm_loss", 2, 2));
  CHECK(program::is_better("ARC/pass@2", 2, 1));
  CHECK(program::is_better("ARC/pass@2", 0, nan));
  CHECK_FALSE(program::is_better("ARC/pass@2", nan, nan));
  CHECK_FALSE(program::is_better("ARC/pass@2", nan, 0));
}

TEST_CASE("a line has step, time and memory, and the event file the same numbers") {
  const temporary_folder folder;
  program::telemetry t(folder.path());
  t.describe("[train]\nlr = 1e-3\n", {{"lr", 1e-3}, {"optimizer", "adamw"}});
  CHECK(t.read().empty());
  CHECK(folder.files() == 0);  // a run that measured nothing leaves nothing
  program::step_rate rate;
  rate.begin(), rate.add(32), rate.rest();
  json line = {{"train/lm_loss", 0.5}, {"train/accuracy", std::nan("")}};
  rate.take(line);
  CHECK(line.at("samples_per_second").get<double>() == doctest::Approx(32 * line.at("steps_per_second").get<double>()));
  t.write(10, line);
  t.write(10, {{"split", "test"}, {"all", {{"exact_accuracy", 0.75}}}});
  t.sync();
  CHECK(folder.files() == 2);
  const std::vector<json> lines = t.read();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].at("step") == 10);
  CHECK(std::abs(lines[0].at("time").get<double>() - trm::wall_clock()) < 60);
  CHECK(lines[0].at("memory/resident_mib").get<double>() > 1);
  CHECK(lines[0].at("memory/peak_mib").get<double>() >= lines[0].at("memory/resident_mib").get<double>());
  CHECK(program::without_measured(lines[0]) == json{{"step", 10}, {"train/lm_loss", 0.5}, {"train/accuracy", nullptr}});
  CHECK(program::without_measured(lines[1]) ==
        json{{"step", 10}, {"split", "test"}, {"all", {{"exact_accuracy", 0.75}}}});
  const auto scalars = trm_test::event_scalars(folder.path());
  CHECK(std::count(scalars.begin(), scalars.end(), event_scalar{10, "train/lm_loss", 0.5f}) == 1);
  CHECK(std::count(scalars.begin(), scalars.end(), event_scalar{10, "test/all/exact_accuracy", 0.75f}) == 1);
  CHECK(scalars.size() == 7);  // loss, accuracy, two rates, memory twice; the evaluation's one
}

TEST_CASE("a run that goes on writes what a run that never stopped writes") {
  const auto write = [](program::telemetry& t, int first, int last) {
    for (int step = first; step <= last; ++step) t.write(step, {{"train/lm_loss", 1.0 / step}});
  };
  const auto lines = [](const temporary_folder& folder) {
    std::vector<json> all = program::read_metrics(folder / "metrics.jsonl");
    for (json& l : all) {
      l = program::without_measured(l);
    }
    return all;
  };
  const auto losses = [](const temporary_folder& folder) {
    auto all = trm_test::event_scalars(folder.path());
    std::erase_if(all, [](const event_scalar& s) { return s.tag != "train/lm_loss"; });
    return all;
  };
  const temporary_folder whole, broken;
  program::telemetry one(whole.path());
  write(one, 1, 9);
  {
    program::telemetry first(broken.path());
    write(first, 1, 6);
  }
  put(broken / "metrics.jsonl", get(broken / "metrics.jsonl") + R"({"step":7,"train/lm_)");  // killed while writing
  {
    program::telemetry second(broken.path());
    second.resume_at(4);
    write(second, 5, 5);
  }
  program::telemetry third(broken.path());
  third.resume_at(4);
  CHECK(third.read().size() == 4);
  write(third, 5, 9);
  CHECK(lines(whole) == lines(broken));
  CHECK(losses(whole) == losses(broken));
  CHECK(losses(broken).size() == 9);
}

TEST_CASE("what is forgotten: later steps and a torn last line, byte for byte nothing else") {
  const temporary_folder folder;
  const auto file = folder / "metrics.jsonl";
  const std::string a = "{\"step\": 1, \"x\" : 0.10}\n", b = "{\"step\":2}\n", c = "{\"step\":3}\n";
  const auto forget = [&](const std::string& content, long long step) {
    put(file, content);
    program::forget_after(file, step);
    return get(file);
  };
  CHECK(forget(a + b + c, 2) == a + b);
  CHECK(forget(a + b + c, 3) == a + b + c);
  CHECK(forget(a + b + c, 0).empty());
  CHECK(forget(a + c + b, 2) == a + b);
  CHECK(forget(a + b.substr(0, b.size() - 1), 2) == a + b);  // whole but for its end
  for (std::size_t cut = 1; cut + 1 < b.size(); ++cut) CHECK(forget(a + b.substr(0, cut), 2) == a);
  CHECK(forget(a + std::string(100, '\0'), 2) == a);  // what a power cut leaves
  CHECK(forget("", 2).empty());
  std::filesystem::remove(file);
  program::forget_after(file, 2);
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(folder.files() == 0);
}

TEST_CASE("a damaged line elsewhere is named, and the file stays as it is") {
  const temporary_folder folder;
  const auto file = folder / "metrics.jsonl";
  for (const char* damaged : {"{\"step\":2,", "", "[]", "{\"stop\":2}", "{\"step\":-1}", "{\"step\":\"2\"}", "\x80"}) {
    const std::string content = std::string("{\"step\":1}\n") + damaged + "\n{\"step\":3}\n";
    put(file, content);
    trm_test::check_error([&] { program::forget_after(file, 1); }, "metrics.jsonl: line 2 is damaged");
    trm_test::check_error([&] { program::read_metrics(file); }, "metrics.jsonl: line 2 is damaged");
    CHECK(get(file) == content);
  }
}

}  // namespace
