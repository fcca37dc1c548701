// SPDX-License-Identifier: MIT
#include "trm/data/arc/demonstrations.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "support/throws.hpp"

namespace {

namespace arc = trm::arc;

/// Colours 1 and 2 change places; the test pair alone has colour 7.
arc::task swapping() {
  return arc::parse_tasks(
      R"({"train": [{"input": [[1, 2]], "output": [[2, 1]]}, {"input": [[1, 1], [2, 2]], "output": [[2, 2], [1, 1]]}],
                              "test": [{"input": [[7, 1, 1]], "output": [[7, 2, 2]]}]})",
      "text", "swap")[0];
}
constexpr int side = 4, samples = 64;

struct drawn_batch {
  std::vector<std::int32_t> inputs, labels, identifiers;
  drawn_batch(const arc::demonstrations& d, std::uint64_t step)
      : inputs(samples * side * side), labels(inputs.size()), identifiers(samples) {
    d.draw(step, {inputs, labels, identifiers});
  }
  friend bool operator==(const drawn_batch&, const drawn_batch&) = default;
};

}  // namespace

TEST_CASE("puzzles differ in their demonstrations, whatever the test pairs hold") {
  arc::task t = swapping();
  const auto puzzles = arc::draw_puzzles_of(t, 20, 1);
  REQUIRE(puzzles.size() == 21);
  CHECK(puzzles[0] == arc::augmentation{});
  t.test[0].output.reset();
  t.test.push_back(t.train[0]);
  CHECK(arc::draw_puzzles_of(t, 20, 1) == puzzles);
  const auto names = arc::names_of(t, puzzles);
  CHECK(names[0] == "swap");
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == 21);
  CHECK(arc::parse_name(names[7]).how == puzzles[7]);
}

TEST_CASE("every example is a demonstration under its puzzle's augmentation, both grids at one place") {
  const arc::task t = swapping();
  const auto puzzles = arc::draw_puzzles_of(t, 5, 2);
  const arc::demonstrations d(t, puzzles, side, 3);
  std::set<std::pair<int, std::size_t>> seen;  // puzzle, pair
  int in_corner = 0;
  for (std::uint64_t step = 1; step <= 8; ++step) {
    const drawn_batch b(d, step);
    for (std::size_t i = 0; i < samples; ++i) {
      bool found = false;
      for (std::size_t pair = 0; pair < t.train.size(); ++pair) {
        const arc::augmentation& how = puzzles[static_cast<std::size_t>(b.identifiers[i])];
        const arc::grid input = how.apply(t.train[pair].input), output = how.apply(*t.train[pair].output);
        for (int top = 0; top + input.rows() <= side; ++top) {
          for (int left = 0; left + input.columns() <= side; ++left) {
            std::vector<std::int32_t> in(side * side), out(side * side);
            arc::encode<std::int32_t>(input, side, top, left, in);
            arc::encode<std::int32_t>(output, side, top, left, out);
            for (auto& token : out) token = token == arc::pad_token ? trm::ignored_label : token;
            const auto at = static_cast<std::ptrdiff_t>(i * side * side);
            if (!std::equal(in.begin(), in.end(), b.inputs.begin() + at)) continue;
            if (!std::equal(out.begin(), out.end(), b.labels.begin() + at)) continue;
            found = true;
            in_corner += top == 0 && left == 0;
            seen.emplace(b.identifiers[i], pair);
          }
        }
      }
      CHECK(found);
    }
  }
  CHECK(seen.size() == 12);
  CHECK(in_corner > 8 * samples / 2);  // half of them, and those that are moved there
  CHECK(in_corner < 8 * samples * 3 / 4);
}

TEST_CASE("a batch is a function of seed and step") {
  const arc::task t = swapping();
  const auto puzzles = arc::draw_puzzles_of(t, 5, 2);
  const arc::demonstrations d(t, puzzles, side, 3), other(t, puzzles, side, 4);
  CHECK(drawn_batch(d, 5) == drawn_batch(d, 5));
  CHECK(!(drawn_batch(d, 5) == drawn_batch(d, 6)));
  CHECK(!(drawn_batch(d, 5) == drawn_batch(other, 5)));
}

TEST_CASE("a demonstration that does not fit the canvas is named") {
  const arc::task t = swapping();
  trm_test::check_error([&] { arc::demonstrations(t, {{}}, 1, 0); },
                        "task swap: demonstration 0 has a grid of 1 x 2, the model's canvas is 1 x 1");
}
