// SPDX-License-Identifier: MIT
// An evaluation of ARC tasks as a page to look at: what was asked, what was answered, with how many votes.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arc_drawing.hpp"
#include "page.hpp"
#include "strip.hpp"
#include "trm/data/arc/grid.hpp"

namespace program::report {

/// One of the answers to a test input, best first.
struct shown_attempt {
  trm::arc::grid cells;    // may be empty
  std::int64_t votes = 0;  // 0: a submission's, nobody voted, and no confidence is known
  double confidence = std::numeric_limits<double>::quiet_NaN();  // mean probability of the halting head over its votes
};
struct shown_test {
  trm::arc::grid input;
  std::optional<trm::arc::grid> truth;  // nothing: not known
  std::vector<shown_attempt> attempts;
};
struct shown_task {
  std::string id;
  std::vector<std::pair<trm::arc::grid, trm::arc::grid>> demonstrations;  // input, output
  std::vector<shown_test> tests;
};
/// pass@k: solved by one of the k answers with the most votes, as fractions.
struct shown_pass {
  int k = 1;
  double per_task = 0, per_input = 0;
};
struct evaluation_report {
  std::string program, title;
  std::vector<shown_pass> passes;
  std::vector<shown_task> tasks;
  std::string configuration;  // TOML; may be empty
  names_and_texts facts;
};

namespace detail {

enum class verdict { solved, unsolved, unknown };

/// The attempt, from 0, that is the truth.
inline std::optional<std::size_t> solving_attempt(const shown_test& t) {
  for (std::size_t i = 0; t.truth && i < t.attempts.size(); ++i) {
    if (t.attempts[i].cells == *t.truth) return i;
  }
  return std::nullopt;
}
inline verdict verdict_of(const shown_test& t) {
  if (!t.truth) return verdict::unknown;
  return solving_attempt(t) ? verdict::solved : verdict::unsolved;
}
/// A task is solved when all of its test inputs are.
inline verdict verdict_of(const shown_task& t) {
  verdict v = t.tests.empty() ? verdict::unknown : verdict::solved;
  for (const shown_test& each : t.tests) {
    if (verdict_of(each) == verdict::unknown) return verdict::unknown;
    if (verdict_of(each) == verdict::unsolved) v = verdict::unsolved;
  }
  return v;
}
inline std::string verdict_text(verdict v) {
  switch (v) {
    case verdict::solved:
      return "<b class=\"solved\">\u2713 solved</b>";
    case verdict::unsolved:
      return "<b class=\"unsolved\">\u2717 unsolved</b>";
    default:
      return "<b class=\"unknown\">? no solution known</b>";
  }
}

inline std::string captioned(std::string_view caption, std::string_view drawing, std::string_view kind = "") {
  return fmt::format("<figure class=\"{}\"><figcaption>{}</figcaption>{}</figure>", kind, caption, drawing);
}
inline std::string size_text(const trm::arc::grid& g) { return fmt::format("{} \u00d7 {}", g.rows(), g.columns()); }

inline std::string attempt_html(const shown_attempt& a, std::size_t number, const shown_test& t) {
  const bool right = t.truth && a.cells == *t.truth;
  const std::string caption = fmt::format("attempt {}{}", number + 1, right ? " <b class=\"solved\">\u2713</b>" : "");
  const std::string measures = a.votes == 0 ? std::string()
                                            : bar(a.confidence) + measure("halt", percent_text(a.confidence)) +
                                                  measure(a.votes == 1 ? "vote" : "votes", count_text(a.votes));
  return captioned(caption, arc_grid(a.cells, t.truth ? &*t.truth : nullptr) + measures,
                   right ? "attempt exact" : "attempt");
}

inline std::string test_html(const shown_test& t, std::size_t number, std::size_t of) {
  std::string out = "<h4>" + (of > 1 ? fmt::format("Test {} of {}", number + 1, of) : std::string("Test")) + " " +
                    verdict_text(verdict_of(t)) + "</h4><div class=\"grids test\">" +
                    captioned("input, " + size_text(t.input), arc_grid(t.input));
  for (std::size_t i = 0; i < t.attempts.size(); ++i) out += attempt_html(t.attempts[i], i, t);
  if (t.attempts.empty()) out += "<p class=\"nothing\">no attempt was made</p>";
  if (t.truth) out += captioned("solution, " + size_text(*t.truth), arc_grid(*t.truth));
  return out + "</div>\n";
}

inline std::string task_html(const shown_task& t, std::size_t number, bool few) {
  // The target of links lies inside: browsers unfold what holds it.
  std::string out =
      fmt::format("<details class=\"task{}><summary><code>{}</code> {}</summary><div class=\"inside\" id=\"task-{}\">",
                  few ? "\" open" : " many\"", escaped(t.id), verdict_text(verdict_of(t)), number + 1);
  if (!t.demonstrations.empty()) {
    out += "<h4>Demonstrations</h4><div class=\"demonstrations\">";
    for (const auto& [input, output] : t.demonstrations) {
      out += "<div class=\"grids\">" + captioned("input, " + size_text(input), arc_grid(input)) +
             "<span class=\"to\" aria-hidden=\"true\">\u2192</span>" +
             captioned("output, " + size_text(output), arc_grid(output)) + "</div>";
    }
    out += "</div>\n";
  }
  for (std::size_t i = 0; i < t.tests.size(); ++i) out += test_html(t.tests[i], i, t.tests.size());
  return out + "</div></details>\n";
}

/// Links to all tasks; the verdict is a sign and a colour.
inline std::string task_index(const std::vector<shown_task>& tasks) {
  std::string out = "<ul class=\"index\">";
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const verdict v = verdict_of(tasks[i]);
    const char* kind = v == verdict::solved ? "solved" : v == verdict::unsolved ? "unsolved" : "unknown";
    const char* sign = v == verdict::solved ? "\u2713" : v == verdict::unsolved ? "\u2717" : "?";
    const char* word = v == verdict::unknown ? "no solution known" : kind;
    out += fmt::format("<li><a href=\"#task-{}\"><b class=\"{}\" role=\"img\" aria-label=\"{}\">{}</b>{}</a></li>\n",
                       i + 1, kind, word, sign, escaped(tasks[i].id));
  }
  return out + "</ul>\n";
}

/// Did anybody vote? Not for the attempts of a submission.
inline bool has_votes(const evaluation_report& r) {
  return std::ranges::any_of(r.tasks, [](const shown_task& t) {
    return std::ranges::any_of(t.tests, [](const shown_test& test) {
      return std::ranges::any_of(test.attempts, [](const shown_attempt& a) { return a.votes > 0; });
    });
  });
}

inline std::string pass_summary(const evaluation_report& r) {
  std::size_t inputs = 0;
  std::ptrdiff_t solved = 0;
  bool known = !r.tasks.empty();
  for (const shown_task& t : r.tasks) {
    inputs += t.tests.size();
    solved += verdict_of(t) == verdict::solved ? 1 : 0;
    known = known && verdict_of(t) != verdict::unknown;
  }
  const auto count = [](auto n) { return count_text(static_cast<std::int64_t>(n)); };
  names_and_texts figures{{"Tasks", count(r.tasks.size())}, {"Test inputs", count(inputs)}};
  if (known) figures.emplace_back("Solved by the attempts shown", count(solved) + " of " + count(r.tasks.size()));
  std::string out = tiles(figures);
  if (r.passes.empty()) return out;
  table t{has_votes(r) ? "pass@k: solved by one of the k answers with the most votes"
                       : "pass@k: solved by one of the first k attempts",
          {"k", "tasks", "test inputs"},
          {}};
  for (const shown_pass& p : r.passes) {
    t.rows.push_back({std::to_string(p.k), percent_text(p.per_task), percent_text(p.per_input)});
  }
  return out + to_html(t);
}

}  // namespace detail

/// The page. Tasks are folded away (a few are open) and are laid out by the browser only when they are looked at.
inline std::string to_html(const evaluation_report& r) {
  page p(r.program, r.title);
  p.lead(detail::pass_summary(r));
  if (!r.tasks.empty()) {
    p.section("Index", detail::task_index(r.tasks));
    std::string tasks = "<p>Marked cells differ from the solution.";
    if (detail::has_votes(r)) {
      tasks += " <em>halt</em> is the mean probability that the answer is right, by the model's halting head.";
    }
    tasks += "</p>\n";
    const bool few = r.tasks.size() <= 8;
    for (std::size_t i = 0; i < r.tasks.size(); ++i) tasks += detail::task_html(r.tasks[i], i, few);
    p.section("Tasks", tasks);
  }
  if (!r.configuration.empty()) {
    p.section("Configuration", folded("The options of this evaluation, as TOML", listing(r.configuration)));
  }
  if (!r.facts.empty()) p.section("Facts", facts_list(r.facts));
  return p.html();
}

}  // namespace program::report
