// SPDX-License-Identifier: MIT
// Pieces of the programs' reports: escaped text, numbers, axes, thinned and smoothed lines, charts.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "../../../examples/program/report/chart.hpp"
#include "../../../examples/program/report/page.hpp"
#include "report_html.hpp"

using namespace program::report;
using trm_test::html_reader;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

/// The number of places where `part` stands.
std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("the reader of HTML that these tests use refuses what is not well-formed") {
  CHECK(html_reader("<p class=\"a\">x &amp; y</p><svg><path d=\"M0 0\"/></svg>").error().empty());
  for (const char* wrong :
       {"<p>", "</p>", "<p><b></p></b>", "<p a=1></p>", "<p a=\"1\" a=\"2\"></p>", "a & b", "a < b", "a > b",
        "<p a=\"<\"></p>", "<i id=\"x\"></i><i id=\"x\"></i>", "<a href=\"#x\"></a>", "<p", "<p a=\"", "&nbsp;"}) {
    INFO(std::string(wrong));
    CHECK_FALSE(html_reader(wrong).error().empty());
  }
}

TEST_CASE("escaped: markup is text, and what is no UTF-8 is replaced") {
  CHECK(escaped("a<b> & \"c\" 'd'") == "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  CHECK(escaped("\u00e9\u2192\U0001f600 tab\t line\n") == "\u00e9\u2192\U0001f600 tab\t line\n");
  const std::string replaced = "\ufffd";
  CHECK(escaped(std::string("\0\x01\x7f", 3)) == replaced + replaced + replaced);
  CHECK(escaped("\xff") == replaced);
  CHECK(escaped("\xc0\xaf") == replaced + replaced);                 // overlong
  CHECK(escaped("\xed\xa0\x80") == replaced + replaced + replaced);  // a surrogate
  CHECK(escaped("\xf5\x80\x80\x80").substr(0, 3) == replaced);       // beyond U+10FFFF
  CHECK(escaped("x\xe2\x82") == "x" + replaced + replaced);          // cut short
}

TEST_CASE("numbers are written to be read, and almost all is not all") {
  CHECK(percent_text(0.4321) == "43.2%");
  CHECK(percent_text(1) == "100%");
  CHECK(percent_text(0.99999) == "99.9%");
  CHECK(percent_text(0) == "0%");
  CHECK(percent_text(1e-9) == "<0.1%");
  CHECK(percent_text(not_a_number) == no_number);
  CHECK(number_text(0.012345) == "0.0123");
  CHECK(number_text(-infinite) == no_number);
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(-1000) == "-1,000");
  CHECK(count_text(-100) == "-100");
  CHECK(count_text(1234567) == "1,234,567");
  CHECK(seconds_text(75) == "1 min 15 s");
  CHECK(seconds_text(9876) == "2 h 44 min");
  CHECK(seconds_text(3 * 86400 + 7200) == "3 d 2 h");
  CHECK(seconds_text(not_a_number) == no_number);
}

TEST_CASE("axes end at round values, in ascending ticks with different labels") {
  struct range {
    double least, most;
  };
  for (const axis_scale scale : {axis_scale::linear, axis_scale::logarithmic}) {
    for (const range& r : {range{1e-5, 1e-4},
                           {0.13, 2.3},
                           {1, 1},
                           {0.98, 0.99},
                           {3, 12345},
                           {1e-9, 1e9},
                           {1e-300, 1e300},
                           {1e-300, 1e-300},
                           {1e300, 1e300},
                           {0.7, 0.700001}}) {
      const axis a = make_axis(r.least, r.most, scale);
      INFO(r.least, " .. ", r.most, scale == axis_scale::linear ? " linear" : " logarithmic");
      CHECK(std::isfinite(a.least));
      CHECK(std::isfinite(a.most));
      CHECK(a.at(r.least) >= -1e-9);
      CHECK(a.at(r.most) <= 1 + 1e-9);
      CHECK(a.at(r.least) <= a.at(r.most));
      CHECK(a.ticks.size() >= 2);
      CHECK(a.ticks.size() <= 12);
      for (std::size_t i = 1; i < a.ticks.size(); ++i) {
        CHECK(a.ticks[i - 1].value < a.ticks[i].value);
        CHECK(a.ticks[i - 1].label != a.ticks[i].label);
      }
    }
  }
  const axis percent = make_axis(0, 1, axis_scale::linear, axis_unit::percent);
  CHECK(percent.ticks.front().label == "0%");
  CHECK(percent.ticks.back().label == "100%");
  CHECK(make_axis(0, 30000, axis_scale::linear).ticks.back().label == "30k");
  CHECK(make_axis(0, 1e-4, axis_scale::linear).ticks.back().label == "1e-4");
  CHECK(make_axis(-3, 4, axis_scale::linear).least <= -3);
}

TEST_CASE("a line is cut where it has no place, and put in order") {
  const axis x{0, 10, axis_scale::linear, {}}, y{0.1, 10, axis_scale::logarithmic, {}};
  const std::vector<double> steps{1, 2, 3, 4, 5, 6, 9, 8}, values{1, not_a_number, 1, infinite, 0, -1, 10, 0.1};
  const std::vector<piece> found = pieces(steps, values, x, y);
  REQUIRE(found.size() == 3);
  REQUIRE(found[0].size() == 1);
  CHECK(found[0][0].x == doctest::Approx(0.1));
  CHECK(found[0][0].y == doctest::Approx(0.5));
  REQUIRE(found[1].size() == 1);
  CHECK(found[1][0].x == doctest::Approx(0.3));
  REQUIRE(found[2].size() == 2);
  CHECK(found[2][0].x < found[2][1].x);
  CHECK(found[2][0].y == doctest::Approx(0));
  CHECK(found[2][1].y == doctest::Approx(1));
}

TEST_CASE("thinning keeps the ends and every extreme") {
  piece line(20000);
  for (std::size_t i = 0; i < line.size(); ++i) {
    line[i] = {static_cast<double>(i) / 20000, 0.5 + 0.1 * std::sin(static_cast<double>(i))};
  }
  line[7777].y = 1;
  line[3333].y = 0;
  const piece thin = thinned(line, 100);
  CHECK(thin.size() <= 400);
  CHECK(thin.front() == line.front());
  CHECK(thin.back() == line.back());
  CHECK(std::count(thin.begin(), thin.end(), line[7777]) == 1);
  CHECK(std::count(thin.begin(), thin.end(), line[3333]) == 1);
  CHECK(std::is_sorted(thin.begin(), thin.end(), [](const point& a, const point& b) { return a.x < b.x; }));
  const piece few(line.begin(), line.begin() + 3);
  CHECK(thinned(few, 100000) == few);
  CHECK(thinned({}, 100).empty());
}

TEST_CASE("smoothing leaves a straight line as it is up to its ends, lessens noise and stays within the values") {
  piece straight, noisy;
  for (int i = 0; i < 200; ++i) {
    straight.push_back({i / 200.0, i / 200.0});
    noisy.push_back({i / 200.0, i % 2 == 0 ? 0.0 : 1.0});
  }
  const piece same = smoothed(straight, 10);
  for (std::size_t i = 0; i < same.size(); ++i) CHECK(same[i].y == doctest::Approx(straight[i].y));
  const piece calm = smoothed(noisy, 10);
  for (std::size_t i = 10; i < 190; ++i) CHECK(std::abs(calm[i].y - 0.5) < 0.05);
  for (const point& p : calm) {
    CHECK(p.y >= 0);
    CHECK(p.y <= 1);
  }
  CHECK(smoothed({}, 5).empty());
  CHECK(smoothed({{0.5, 0.25}}, 5) == piece{{0.5, 0.25}});
}

TEST_CASE("a chart of thousands of noisy points is well-formed and small, and says what it shows") {
  line l{"training", {}, {}, line_kind::noisy};
  for (int i = 1; i <= 50000; ++i) {
    l.x.push_back(i);
    l.y.push_back(2 + std::sin(i * 1.7) * std::cos(i * 0.3));
  }
  const std::string html = to_html(chart{.title = "Loss", .lines = {l}, .scale = axis_scale::logarithmic});
  CHECK(html_reader(html).error() == "");
  CHECK(html.size() < 60000);
  CHECK(html.find("aria-label=\"Loss against supervision steps; training: last ") != html.npos);
  CHECK(html.find("class=\"s1 raw\"") != html.npos);
  CHECK(html.find("class=\"s1 line\"") != html.npos);
}

TEST_CASE("charts without values, of one value, and of values that cannot be drawn") {
  const std::string nothing = "no values were recorded";
  CHECK(to_html(chart{.title = "t", .lines = {}}).find(nothing) != std::string::npos);
  CHECK(to_html(chart{.title = "t", .lines = {{"a", {}, {}}}}).find(nothing) != std::string::npos);
  CHECK(to_html(chart{.title = "t", .lines = {{"a", {1, 2}, {not_a_number, infinite}}}}).find(nothing) !=
        std::string::npos);
  CHECK(to_html(chart{.title = "t", .lines = {{"a", {1}, {-1}}}, .scale = axis_scale::logarithmic}).find(nothing) !=
        std::string::npos);
  for (const double v : {0.0, 5.0, -3.0, 1e300, -1e300, 1e-300}) {
    const std::string one = to_html(chart{.title = "t", .lines = {{"a", {7}, {v}}}});
    INFO(v);
    CHECK(html_reader(one).error() == "");
    CHECK(one.find(nothing) == std::string::npos);
    CHECK(one.find("s1 marks") != std::string::npos);  // a point is seen
    CHECK(one.find("nan") == std::string::npos);
    CHECK(one.find("inf") == std::string::npos);
  }
  // The whole range of float64 in one chart.
  const std::string wide = to_html(chart{.title = "t", .lines = {{"a", {1, 2, 3}, {-1e300, 0, 1e300}}}});
  CHECK(wide.find("nan") == std::string::npos);
  CHECK(wide.find("inf") == std::string::npos);
  // An empty line among others leaves their colours alone and is not in the legend.
  const std::string two = to_html(chart{.title = "t", .lines = {{"empty", {}, {}}, {"b", {1, 2}, {1, 2}}}});
  CHECK(two.find("empty") == std::string::npos);
  CHECK(two.find("s2 line") != std::string::npos);
}

TEST_CASE("a page stands alone: nothing is loaded, everything is escaped, sections are linked") {
  page p("prog<ram>", "a \"title\" & </title>");
  p.section("One </h2>", listing("</script></pre>\n[a] = 'b'"));
  p.section("Two", facts_list({{"<name>", "te\nxt"}}) + tiles({{"n", "1"}}) + folded("more", "<p>inside</p>") +
                       to_html(table{"<caption>", {"a", "b"}, {{"<1>", "2"}, {"3", "4"}}}));
  const std::string html = p.html();
  const html_reader read(html);
  CHECK(read.error() == "");
  CHECK(read.count("section") == 2);
  CHECK(read.count("script") == 1);
  CHECK(read.count("td") == 2);
  for (const char* outside : {"http:", "https:", "src=", "url(", "@import", "<link"})
    CHECK(html.find(outside) == html.npos);
  CHECK(html.find("<html lang=\"en\">") != html.npos);
  CHECK(occurrences(html, "prefers-color-scheme: dark") == 1);
}
