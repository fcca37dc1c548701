// SPDX-License-Identifier: MIT
#include "trm/data/batch.hpp"

#include <doctest/doctest.h>

#include <concepts>

#include "trm/train/batch.hpp"

TEST_CASE("a trainer takes a batch of a sampler as it is") {
  trm::batch_memory memory(2, 3);
  const trm::batch_view view = memory.view();
  view.inputs[5] = 1;
  view.labels[0] = 2;
  view.puzzle_identifiers[1] = 3;

  const auto step = [](const trm::batch& offered) { return offered; };
  const trm::batch taken = step(view);
  CHECK(taken.inputs.data() == view.inputs.data());
  CHECK(taken.labels.data() == view.labels.data());
  CHECK(taken.puzzle_identifiers.data() == view.puzzle_identifiers.data());
  CHECK(taken.inputs.size() == 6);
  CHECK(taken.labels.size() == 6);
  CHECK(taken.puzzle_identifiers.size() == 2);
  CHECK(taken.lengths.empty());
  CHECK(taken.prefixes.empty());
  CHECK_NOTHROW(trm::detail::check_batch(view, 2, 3, 4, 4, true));
  CHECK_FALSE(std::convertible_to<trm::batch_view, int>);
}
