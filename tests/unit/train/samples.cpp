// SPDX-License-Identifier: MIT
#include "trm/train/samples.hpp"

#include <doctest/doctest.h>

#include "unit/train/generated_batch.hpp"

using vector = std::vector<int>;

TEST_CASE("at first every sample takes what is offered") {
  trm::samples s(3, 2, 1);
  const trm_test::generated_batch b(3, 2, 9, 4, 1);
  s.offer(b.view());
  CHECK(s.inputs == b.inputs);
  CHECK(s.labels == b.labels);
  CHECK(s.puzzle_identifiers == b.identifiers);
  CHECK(s.steps == vector{1, 1, 1});
  CHECK(s.reset == std::vector<unsigned char>{1, 1, 1});
}

TEST_CASE("then only those that halted do") {
  trm::samples s(3, 2, 1);
  trm_test::generated_batch first(3, 2, 9, 4, 1), second(3, 2, 9, 4, 2);
  first.identifiers = {0, 1, 2}, second.identifiers = {3, 3, 3};
  s.offer(first.view());
  s.halted = {0, 1, 0};
  s.offer(second.view());
  CHECK(s.steps == vector{2, 1, 2});
  CHECK(s.reset == std::vector<unsigned char>{0, 1, 0});
  CHECK(s.puzzle_identifiers == vector{0, 3, 2});
  CHECK(s.inputs ==
        vector{first.inputs[0], first.inputs[1], second.inputs[2], second.inputs[3], first.inputs[4], first.inputs[5]});
}

TEST_CASE("lengths and prefixes count the puzzle positions, and belong to the sample") {
  trm::samples s(2, 5, 3);
  trm_test::generated_batch b(2, 5, 9, 0, 1);
  s.offer(b.view());
  CHECK(s.lengths_from(0) == nullptr);
  CHECK(s.prefixes_from(0) == nullptr);
  b.lengths = {4, 1}, b.prefixes = {2, 0};
  s.halted = {0, 1};
  s.offer(b.view());
  CHECK(s.lengths == vector{8, 4});  // the first goes on with all of its tokens
  CHECK(s.prefixes == vector{3, 3});
  REQUIRE(s.lengths_from(1) != nullptr);
  CHECK(*s.lengths_from(1) == 4);
  CHECK(*s.prefixes_from(1) == 3);
  b.lengths.clear(), b.prefixes.clear();
  s.halted = {0, 0};
  s.offer(b.view());
  CHECK(s.lengths_from(0) != nullptr);  // both still work on padded data
  CHECK(s.lengths == vector{8, 4});
}

TEST_CASE("without labels nothing is supervised") {
  trm::samples s(1, 3, 0);
  trm_test::generated_batch b(1, 3, 9, 0, 1);
  b.labels.clear();
  s.offer(b.view());
  CHECK(s.labels == vector(3, trm::ignored_label));
}
