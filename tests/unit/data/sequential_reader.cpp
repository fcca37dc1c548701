// SPDX-License-Identifier: MIT
#include "trm/data/sequential_reader.hpp"

#include <doctest/doctest.h>

#include "support/generated_examples.hpp"

namespace {

using trm_test::generated_examples;
using reader = trm::sequential_reader<generated_examples>;
using values = std::vector<std::int32_t>;

const std::vector<generated_examples> data{generated_examples({{2, 1}, {0, 4}}, 0), generated_examples({}, 50),
                                           generated_examples({{1}, {2}}, 100)};
trm::dataset_metadata metadata() {
  trm::dataset_metadata m;
  m.vocab_size = 200;
  m.seq_len = 2;
  m.pad_id = 7;
  m.blank_identifier_id = 9;
  return m;
}
values copy(std::span<const std::int32_t> s) { return {s.begin(), s.end()}; }

TEST_CASE("every example once, in order; sources apart; the last batch of each padded") {
  reader r(data, metadata(), 4);
  trm::batch_memory memory(4, 2);
  const trm::batch_view b = memory.view();
  trm::sequential_part part;
  REQUIRE(r.next(b, part));
  CHECK((part.source == 0 && part.first_row == 0 && part.rows == 4));
  CHECK(copy(b.inputs) == values{0, 0, 1, 1, 2, 2, 3, 3});
  CHECK(copy(b.labels) == values{1, 1, 2, 2, 3, 3, 4, 4});
  CHECK(copy(b.puzzle_identifiers) == values{0, 0, 1, 3});
  REQUIRE(r.next(b, part));
  CHECK((part.source == 0 && part.first_row == 4 && part.rows == 3));
  CHECK(copy(b.inputs) == values{4, 4, 5, 5, 6, 6, 7, 7});
  CHECK(copy(b.labels) == values{5, 5, 6, 6, 7, 7, -100, -100});
  CHECK(copy(b.puzzle_identifiers) == values{3, 3, 3, 9});
  REQUIRE(r.next(b, part));
  CHECK((part.source == 2 && part.first_row == 0 && part.rows == 3));
  CHECK(copy(b.inputs) == values{100, 100, 101, 101, 102, 102, 7, 7});
  CHECK(copy(b.puzzle_identifiers) == values{0, 1, 1, 9});
  CHECK(!r.next(b, part));
  CHECK(!r.next(b, part));
}

TEST_CASE("shards of a batch: as many batches for each, together the whole, some only padding") {
  trm::batch_memory memory(2, 2);
  const trm::batch_view b = memory.view();
  std::vector<values> rows;
  for (int i = 0; i < 3; ++i) {
    reader r(data, metadata(), 6, {i, 3});
    trm::sequential_part part;
    values mine;
    int batches = 0;
    while (r.next(b, part)) {
      ++batches;
      for (std::int64_t k = 0; k < part.rows; ++k) mine.push_back(b.inputs[static_cast<std::size_t>(2 * k)]);
      for (std::int64_t k = part.rows; k < 2; ++k)
        CHECK(b.labels[static_cast<std::size_t>(2 * k)] == trm::ignored_label);
    }
    CHECK(batches == 3);
    rows.push_back(mine);
  }
  CHECK(rows == std::vector<values>{{0, 1, 6, 100, 101}, {2, 3, 102}, {4, 5}});
}

TEST_CASE("at most so many batches") {
  trm::batch_memory memory(4, 2);
  trm::sequential_part part;
  for (int most = 0; most < 6; ++most) {
    reader r(data, metadata(), 4, {}, most);
    int n = 0;
    while (r.next(memory.view(), part)) ++n;
    CHECK(n == std::min(most, 3));
  }
}

TEST_CASE("wrong sizes are refused") {
  CHECK_THROWS_AS(reader(data, metadata(), 0), trm::error);
  CHECK_THROWS_AS(reader(data, metadata(), 5, {0, 2}), trm::error);
  CHECK_THROWS_AS(reader(data, metadata(), 4, {2, 2}), trm::error);
  reader r(data, metadata(), 4);
  trm::batch_memory wrong(3, 2);
  trm::sequential_part part;
  CHECK_THROWS_AS(r.next(wrong.view(), part), trm::error);
}

}  // namespace
