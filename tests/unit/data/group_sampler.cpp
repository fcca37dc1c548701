// SPDX-License-Identifier: MIT
#include "trm/data/group_sampler.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "support/allocations.hpp"
#include "support/generated_examples.hpp"

namespace {

using trm::batch_memory;
using trm::group_sampler;
using trm_test::generated_examples;

using sources = std::vector<generated_examples>;
using rows_of_groups = std::vector<std::vector<int>>;
struct batch {
  std::vector<std::int32_t> tokens, identifiers;  // one token for each row
  friend bool operator==(const batch&, const batch&) = default;
};
using sampler = group_sampler<generated_examples>;

batch next(sampler& s, std::int32_t local) {
  batch_memory memory(local, 2);
  s.next(memory.view());
  batch out;
  for (std::size_t i = 0; i < static_cast<std::size_t>(local); ++i) {
    out.tokens.push_back(memory.view().inputs[2 * i]);
    CHECK(memory.view().inputs[2 * i + 1] == out.tokens.back());
    CHECK(memory.view().labels[2 * i] == out.tokens.back() + 1);
    out.identifiers.push_back(memory.view().puzzle_identifiers[i]);
  }
  return out;
}
sources irregular() {
  rows_of_groups groups;
  for (int g = 0; g < 23; ++g) {
    groups.emplace_back();
    for (int p = 0; p <= g % 4; ++p) groups.back().push_back(1 + (g * 5 + p * 3) % 6);
  }
  groups[3][1] = 0;  // a puzzle without examples
  return {generated_examples(groups, 0), generated_examples(rows_of_groups{{4, 4}, {2}, {3, 1, 2}, {9}}, 1000)};
}

/// The published algorithm, written straight down: the order of all epochs of a pass in one array, a list of picks
/// for each batch.
std::vector<batch> published(const sources& data, std::uint64_t seed, std::size_t size, std::uint64_t epochs,
                             std::uint64_t passes) {
  std::vector<batch> out;
  for (std::uint64_t pass = 0; pass < passes; ++pass) {
    const generated_examples& s = data[pass % data.size()];
    const std::int32_t base = pass % data.size() == 0 ? 0 : 1000;
    const trm::philox random{seed};
    std::vector<std::uint32_t> order;
    for (std::uint32_t e = 0; e < epochs; ++e) {
      std::vector<std::uint32_t> epoch(static_cast<std::size_t>(s.groups()));
      trm::permutation(random.at(trm::purpose::group_order, pass, e), std::span(epoch));
      order.insert(order.end(), epoch.begin(), epoch.end());
    }
    std::uint32_t start = 0;
    while (start < order.size()) {
      batch b;
      while (start < order.size() && b.tokens.size() < size) {
        const auto puzzles = s.puzzles_of(order[start]);
        const auto puzzle =
            puzzles.first +
            static_cast<std::int64_t>(
                random.at(trm::purpose::puzzle_choice, pass, start).below(static_cast<std::uint64_t>(puzzles.size())));
        std::vector<std::int64_t> rows(static_cast<std::size_t>(s.rows_of(puzzle).size()));
        std::iota(rows.begin(), rows.end(), s.rows_of(puzzle).first);
        const trm::draws choice = random.at(trm::purpose::example_choice, pass, start);
        for (std::size_t i = 0; i < rows.size() && b.tokens.size() < size; ++i) {
          std::swap(rows[i], rows[i + choice.below(rows.size() - i, i)]);
          b.tokens.push_back(base + static_cast<std::int32_t>(rows[i]));
          b.identifiers.push_back(static_cast<std::int32_t>(puzzle));
        }
        ++start;
      }
      if (b.tokens.size() == size) out.push_back(b);
    }
  }
  return out;
}

TEST_CASE("batches are those of the published algorithm, over passes and sources") {
  const sources data = irregular();
  for (const int size : {1, 4, 7, 30}) {
    sampler s(data, 2, {.seed = 11, .batch = size, .epochs_per_iteration = 3});
    const auto expected = published(data, 11, static_cast<std::size_t>(size), 3, 6);
    REQUIRE(expected.size() > 5);
    for (const batch& b : expected) CHECK(next(s, size) == b);
  }
}

TEST_CASE("with batches of one example: every group once an epoch, one puzzle of it, in another order each epoch") {
  const sources data{generated_examples(rows_of_groups{{1, 1, 1}, {1}, {1, 1}, {1}, {1, 1, 1, 1}, {1}, {1}})};
  const std::vector<int> group_of{0, 0, 0, 1, 2, 2, 3, 4, 4, 4, 4, 5, 6};
  sampler s(data, 2, {.seed = 1, .batch = 1, .epochs_per_iteration = 50});
  std::set<std::vector<int>> orders;
  std::map<int, int> chosen;
  for (int epoch = 0; epoch < 400; ++epoch) {
    std::vector<int> order;
    for (int i = 0; i < 7; ++i) {
      const int row = next(s, 1).tokens[0];
      ++chosen[row];
      order.push_back(group_of[static_cast<std::size_t>(row)]);
    }
    CHECK(std::set<int>(order.begin(), order.end()).size() == 7);
    orders.insert(order);
  }
  CHECK(orders.size() > 350);  // 5040 orders
  CHECK(chosen.size() == 13);
  for (const int row : {7, 8, 9, 10}) CHECK(std::abs(chosen[row] - 100) < 45);  // 5 sigma
  CHECK(s.state().iteration == 7);  // passes over 50 epochs that were finished
  CHECK(s.state().position == 50 * 7);
}

TEST_CASE("examples of a puzzle are taken without replacement, each equally often where the batch cuts them") {
  const sources data{generated_examples(rows_of_groups{{5}})};
  sampler s(data, 2, {.seed = 2, .batch = 3, .epochs_per_iteration = 1});
  std::map<int, int> count;
  const int n = 5000;
  for (int i = 0; i < n; ++i) {
    const batch b = next(s, 3);
    CHECK(std::set<std::int32_t>(b.tokens.begin(), b.tokens.end()).size() == 3);
    for (const auto t : b.tokens) ++count[t];
  }
  for (int row = 0; row < 5; ++row) CHECK(std::abs(count[row] - 0.6 * n) < 5 * std::sqrt(n * 0.6 * 0.4));
}

TEST_CASE("the partial batch is dropped at the end of an iteration, not of an epoch") {
  const sources data{generated_examples(rows_of_groups{{1}, {1}, {1}})};
  // 4 epochs of 3 examples: two batches of 5 an iteration, 2 examples dropped.
  sampler s(data, 2, {.seed = 3, .batch = 5, .epochs_per_iteration = 4});
  for (int iteration = 0; iteration < 3; ++iteration) {
    for (int i = 1; i <= 2; ++i) {
      next(s, 5);
      CHECK(s.state() == trm::sampler_state{static_cast<std::uint64_t>(iteration), static_cast<std::uint64_t>(5 * i)});
    }
  }
}

TEST_CASE("a restored state continues with the same batches, at any point, in a new sampler") {
  const sources data = irregular();
  const trm::sampling how{.seed = 5, .batch = 7, .epochs_per_iteration = 2};
  sampler whole(data, 2, how);
  std::vector<trm::sampler_state> states{whole.state()};
  std::vector<batch> batches;
  for (int i = 0; i < 40; ++i) {
    batches.push_back(next(whole, 7));
    states.push_back(whole.state());
  }
  CHECK(states.back().iteration >= 3);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    sampler resumed(data, 2, how);
    next(resumed, 7);
    resumed.restore(states[i]);
    CHECK(resumed.state() == states[i]);
    for (std::size_t k = i; k < std::min(i + 4, batches.size()); ++k) CHECK(next(resumed, 7) == batches[k]);
  }
  sampler s(data, 2, how);
  CHECK_THROWS_AS(s.restore({0, 2 * 23 + 1}), trm::error);
  CHECK(next(s, 7) == batches[0]);
}

TEST_CASE("shards are parts of the same batch") {
  const sources data = irregular();
  sampler whole(data, 2, {.seed = 6, .batch = 8, .epochs_per_iteration = 2});
  std::vector<sampler> parts;
  for (int i = 0; i < 4; ++i) parts.emplace_back(data, 2, trm::sampling{6, 8, 2, {i, 4}});
  for (int n = 0; n < 20; ++n) {
    batch joined;
    for (auto& part : parts) {
      const batch b = next(part, 2);
      joined.tokens.insert(joined.tokens.end(), b.tokens.begin(), b.tokens.end());
      joined.identifiers.insert(joined.identifiers.end(), b.identifiers.begin(), b.identifiers.end());
    }
    CHECK(joined == next(whole, 8));
  }
}

TEST_CASE("another seed gives another order") {
  const sources data = irregular();
  sampler a(data, 2, {.seed = 1, .batch = 7}), b(data, 2, {.seed = 2, .batch = 7});
  CHECK(!(next(a, 7) == next(b, 7)));
}

TEST_CASE("a step allocates nothing") {
  const sources data = irregular();
  sampler s(data, 2, {.seed = 6, .batch = 8, .epochs_per_iteration = 2});
  batch_memory memory(8, 2);
  const long before = trm_test::allocations;
  for (int i = 0; i < 100; ++i) s.next(memory.view());
  s.restore({4, 3});
  s.next(memory.view());
  CHECK(trm_test::allocations == before);
  CHECK(before > 0);
}

TEST_CASE("what cannot work is refused with the remedy") {
  const sources data{generated_examples(rows_of_groups{{3, 1}, {2}})};
  CHECK_THROWS_WITH_AS(
      sampler(data, 2, {.seed = 0, .batch = 11, .epochs_per_iteration = 2}),
      "sampler: an iteration of 2 epochs over a set holds at most 10 examples, less than one batch of 11: raise "
      "epochs_per_iteration",
      trm::error);
  sampler(data, 2, {.seed = 0, .batch = 10, .epochs_per_iteration = 2});
  CHECK_THROWS_AS(sampler(data, 2, {.seed = 0, .batch = 0}), trm::error);
  CHECK_THROWS_AS(sampler(data, 2, {.seed = 0, .batch = 1, .epochs_per_iteration = 0}), trm::error);
  CHECK_THROWS_AS(sampler(data, 2, trm::sampling{0, 3, 1, {0, 2}}), trm::error);
  CHECK_THROWS_AS(sampler(data, 2, trm::sampling{0, 4, 1, {2, 2}}), trm::error);
  CHECK_THROWS_AS(sampler(sources{}, 2, {.seed = 0, .batch = 1}), trm::error);
  CHECK_THROWS_AS(sampler(data, 2, {.seed = 0, .batch = 1, .epochs_per_iteration = 1LL << 40}), trm::error);
  sampler s(data, 2, {.seed = 0, .batch = 2});
  batch_memory wrong(3, 2);
  CHECK_THROWS_AS(s.next(wrong.view()), trm::error);
  // Possible only if in every epoch the puzzle of three rows is drawn: an error, not an endless loop.
  sampler unlikely(data, 2, {.seed = 0, .batch = 500, .epochs_per_iteration = 100});
  batch_memory large(500, 2);
  CHECK_THROWS_AS(unlikely.next(large.view()), trm::error);
}

/// One group; every look at one of its puzzles is counted.
struct counted_source {
  std::int64_t versions;
  std::int64_t* looks;
  std::int64_t rows() const { return 2 * versions; }
  std::int64_t puzzles() const { return versions; }
  std::int64_t groups() const { return 1; }
  trm::index_range puzzles_of(std::int64_t) const { return {0, versions}; }
  trm::index_range rows_of(std::int64_t p) const {
    ++*looks;
    return {2 * p, 2 * p + 2};
  }
  std::int64_t longest_puzzle(std::int64_t) const { return 2; }
  std::int32_t puzzle_identifier(std::int64_t) const { return 0; }
  void read(std::int64_t, std::int32_t* inputs, std::int32_t* labels) const { *inputs = *labels = 0; }
};

TEST_CASE("a source that says how long its puzzles are is not looked through, and is checked all the same") {
  std::int64_t looks = 0;
  const std::vector<counted_source> data{{std::int64_t{1} << 40, &looks}};
  trm::group_sampler<counted_source> s(data, 1, {.seed = 1, .batch = 4, .epochs_per_iteration = 2});
  CHECK(looks == 0);
  batch_memory memory(4, 1);
  s.next(memory.view());
  CHECK(looks == 2);
  try {
    trm::group_sampler<counted_source> small(data, 1, {.seed = 1, .batch = 5, .epochs_per_iteration = 2});
    FAIL("accepted");
  } catch (const trm::error& e) {
    CHECK(std::string(e.what()).find("at most 4 examples") != std::string::npos);
  }
  CHECK(trm::longest_puzzle(generated_examples({{1, 3, 2}, {4}}), 0) == 3);
}

}  // namespace
