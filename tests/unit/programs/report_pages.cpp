// SPDX-License-Identifier: MIT
// Whole pages: of a training run, of an evaluation of ARC tasks, whatever is missing or hostile in what they show.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "../../../examples/program/report/drawings.hpp"
#include "../../../examples/program/report/evaluation_report.hpp"
#include "../../../examples/program/report/training_report.hpp"
#include "report_html.hpp"

using namespace program::report;
using trm_test::html_reader;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
const std::string hostile = "</script><script>alert(1)</script>\" onload=\"x' & \xff \x01";

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// The page, which is well-formed and has no text that was taken for markup.
std::string checked(std::string html) {
  const html_reader read(html);
  CHECK(read.error() == "");
  CHECK(read.count("script") == 1);
  CHECK(read.count("h1") == 1);
  CHECK_FALSE(has(html, "alert(1)</script>"));
  for (const char* number : {" nan", ">nan", "\"nan", " inf", ">inf", "\"inf", ":inf"}) CHECK_FALSE(has(html, number));
  return html;
}

std::vector<trm::json> metrics_of_a_run(int steps) {
  std::vector<trm::json> lines;
  for (int step = 10; step <= steps; step += 10) {
    const double t = static_cast<double>(step) / steps;
    lines.push_back({{"step", step},
                     {"train/lr", 1e-4},
                     {"train/count", 32},
                     {"steps_per_second", 2.0},
                     {"train/accuracy", t},
                     {"train/exact_accuracy", t * t},
                     {"train/q_halt_accuracy", 0.9},
                     {"train/steps", 16 - 10 * t},
                     {"train/lm_loss", 2 - t},
                     {"train/q_halt_loss", 0.4},
                     {"train/gradient_norm", 1.5}});
    if (step % 100 == 0) {
      const trm::json set = {{"accuracy", t},
                             {"exact_accuracy", 0.5 * t},
                             {"q_halt_accuracy", 0.8},
                             {"steps", 16},
                             {"lm_loss", 2.0},
                             {"q_halt_loss", 0.5},
                             {"count", 400}};
      lines.push_back({{"step", step},
                       {"split", "test"},
                       {"examples", 400},
                       {"supervision_steps", 16},
                       {"all", set},
                       {"hard", set},
                       {"ARC/pass@1", 0.1}});
    }
  }
  return lines;
}

}  // namespace

TEST_CASE("a training run: figures at the top, a chart for each quantity, evaluations in numbers") {
  training_report r;
  r.program = "trm-sudoku";
  r.title = "A run";
  r.metrics = metrics_of_a_run(1000);
  r.parameters = 6829058;
  const std::string html = checked(to_html(r));
  CHECK(has(html, "<dt>Exact accuracy, evaluation</dt><dd>50.0%</dd>"));
  CHECK(has(html, "<dt>Cell accuracy, evaluation</dt><dd>100%</dd>"));
  CHECK(has(html, "<dt>Steps</dt><dd>1,000</dd>"));
  CHECK(has(html, "<dt>Time, by the recorded speed</dt><dd>8 min 20 s</dd>"));
  CHECK(has(html, "<dt>Parameters</dt><dd>6,829,058</dd>"));
  for (const char* title :
       {"Exact accuracy", "Cell accuracy", "Loss of the answer", "Steps until halting", "Learning rate",
        "Accuracy of the halting decision", "Loss of the halting decision", "Norm of the gradient"}) {
    INFO(std::string(title));
    CHECK(has(html, "<figcaption>" + std::string(title) + "</figcaption>"));
  }
  CHECK(has(html, "evaluation, hard"));
  CHECK(has(html, "ARC/pass@1"));
  CHECK(has(html, "Evaluations in numbers (20)"));
  CHECK_FALSE(has(html, "no values were recorded"));
  CHECK(html.size() < 200000);
  r.seconds = 75;
  CHECK(has(to_html(r), "<dt>Wall time</dt><dd>1 min 15 s</dd>"));
}

TEST_CASE("a training run of which nothing is known is a page all the same") {
  const std::string html = checked(to_html(training_report{}));
  CHECK(has(html, "no values were recorded"));
  CHECK_FALSE(has(html, "Answers, step by step</h2>"));
  CHECK_FALSE(has(html, "Configuration</h2>"));
}

TEST_CASE("metrics that are null, missing, of another type or no objects at all are passed over") {
  training_report r;
  r.metrics = {nullptr,
               7,
               "text",
               trm::json::array({1}),
               {{"step", "ten"}, {"train/lm_loss", 1}},
               {{"train/lm_loss", 1}},
               {{"step", 10}, {"train/lm_loss", nullptr}, {"train/accuracy", "x"}, {"steps_per_second", 0}},
               {{"step", 20}, {"train/lm_loss", not_a_number}, {"train/lr", std::numeric_limits<double>::infinity()}},
               {{"step", 30}, {"split", nullptr}, {"all", nullptr}},
               {{"step", 30}, {"split", "test"}, {"all", {{"accuracy", nullptr}}}},
               {{"step", 1e300}, {"split", "test"}, {"all", 3}, {"examples", 1e300}, {"other", {{"count", 1}}}},
               {{"step", -5}, {"train/lm_loss", 2.5}},
               {{"step", not_a_number}, {"train/lm_loss", 2.5}}};
  const std::string html = checked(to_html(r));
  CHECK(has(html, "training <b>2.5</b>"));
  CHECK(has(html, "<dt>Wall time</dt>"));
}

TEST_CASE("several splits are told apart") {
  training_report r;
  r.metrics = {{{"step", 1}, {"split", "test"}, {"all", {{"exact_accuracy", 0.25}}}},
               {{"step", 1}, {"split", "train"}, {"all", {{"exact_accuracy", 0.75}}}}};
  const std::string html = checked(to_html(r));
  CHECK(has(html, "evaluation (test) <b>25.0%</b>"));
  CHECK(has(html, "evaluation (train) <b>75.0%</b>"));
}

TEST_CASE("examples: each step with its confidence; exact ones are marked, and whether the last one is") {
  const std::vector<int> given{0, 2, 2, 1}, right{1, 2, 2, 1}, wrong{2, 2, 2, 1};
  training_report r;
  const auto step = [&](const std::vector<int>& answer, double confidence) {
    return shown_step{sudoku(2, 1, 2, given, answer, right), confidence, answer == right ? 1 : 0.75, answer == right};
  };
  r.examples = {
      {"first", sudoku(2, 1, 2, given), sudoku(2, 1, 2, given, right), {step(wrong, 0.125), step(right, 0.875)}},
      {"second", "", "", {step(right, not_a_number), step(wrong, 7)}},
      {"third", "", "", {}}};
  const std::string html = checked(to_html(r));
  CHECK(html_reader(html).count("li") >= 4);
  CHECK(has(html, "first <b class=\"solved\">\u2713 exact</b></h3>"));
  CHECK(has(html, "second <b class=\"unsolved\">\u2717 not exact</b></h3>"));
  CHECK(has(html, "third</h3>"));
  CHECK(has(html, "width:12%") != has(html, "width:13%"));
  CHECK(has(html, "12.5%"));
  CHECK(has(html, "<li class=\"step exact\"><p class=\"number\">step 2 "));
}

TEST_CASE("hostile texts stay texts") {
  training_report r;
  r.program = r.title = r.configuration = hostile;
  r.facts = {{hostile, hostile}};
  r.examples = {{hostile, "", "", {}}};
  r.metrics = {{{"step", 1}, {"split", hostile}, {hostile, {{"exact_accuracy", 0.5}}}, {hostile + "pass@1", 0.5}}};
  checked(to_html(r));

  evaluation_report e;
  e.program = e.title = e.configuration = hostile;
  e.facts = {{hostile, hostile}};
  e.tasks = {{hostile, {}, {}}, {hostile, {}, {{}}}};
  checked(to_html(e));
}

TEST_CASE("an evaluation: verdicts, votes and confidence of attempts, cells that differ, links to every task") {
  trm::arc::grid input(2, 2), truth(2, 2), near(2, 2), other(1, 3);
  truth(0, 0) = 5;
  near(0, 0) = 5;
  near(1, 1) = 1;
  evaluation_report r;
  r.title = "Evaluation";
  r.passes = {{1, 0.25, 0.3}, {2, 0.5, 0.6}};
  r.tasks = {
      {"solved1", {{input, truth}}, {{input, truth, {{near, 1200, 0.5}, {truth, 1, 0.25}}}}},
      {"half",
       {},
       {{input, truth, {{truth, 3, 0.5}}}, {input, truth, {{near, 3, 0.5}, {other, 2, 0.1}, {{}, 1, not_a_number}}}}},
      {"open", {}, {{input, std::nullopt, {{near, 2, 0.5}}}}},
      {"none", {}, {{input, truth, {}}}}};
  const std::string html = checked(to_html(r));
  CHECK(has(html, "<code>solved1</code> <b class=\"solved\">"));
  CHECK(has(html, "<code>half</code> <b class=\"unsolved\">"));
  CHECK(has(html, "<code>open</code> <b class=\"unknown\">"));
  CHECK(has(html, "no attempt was made"));
  CHECK(has(html, "no cell was written"));
  CHECK(has(html, "1 \u00d7 3, not 2 \u00d7 2"));
  CHECK(has(html, "<span>votes</span> <span>1,200</span>"));
  CHECK(has(html, "1 of 4 cells wrong"));
  CHECK(has(html, "Test 2 of 2"));
  CHECK(has(html, "<th scope=\"row\">2</th><td>50.0%</td><td>60.0%</td>"));
  CHECK_FALSE(has(html, "Solved by the attempts shown"));  // of one it is not known
  r.tasks.erase(r.tasks.begin() + 2);
  CHECK(has(to_html(r), "<dd>1 of 3</dd>"));
  checked(to_html(evaluation_report{}));
}

TEST_CASE("the attempts of a submission have no votes, and the page does not speak of any") {
  const trm::arc::grid input(2, 2), truth(1, 1);
  evaluation_report r;
  r.passes = {{1, 1, 1}};
  r.tasks = {{"task", {}, {{input, truth, {{truth, 0, not_a_number}}}}}};
  const std::string html = checked(to_html(r));
  CHECK(has(html, "solved by one of the first k attempts"));
  CHECK_FALSE(has(html, "vote"));
  CHECK_FALSE(has(html, "<em>halt</em>"));
  CHECK_FALSE(has(html, "<span>halt</span>"));
}

TEST_CASE("four hundred tasks of 30 x 30 cells are folded away, in less than 20 MB") {
  trm::arc::grid g(30, 30);
  for (std::size_t i = 0; i < g.size(); ++i) g.cells()[i] = static_cast<std::uint8_t>(i / 4 % 10);
  evaluation_report r;
  shown_task task{"task", {{g, g}, {g, g}, {g, g}}, {{g, g, {{g, 9, 0.9}, {g, 1, 0.1}}}}};
  r.tasks.assign(400, task);
  const std::string html = to_html(r);
  CHECK(html.size() < 20000000);
  CHECK_FALSE(has(html, "<details class=\"task\" open"));
  CHECK(has(html, "href=\"#task-400\""));
  r.tasks.resize(2);
  CHECK(has(to_html(r), "<details class=\"task\" open"));
}
