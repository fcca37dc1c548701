// SPDX-License-Identifier: MIT
#include "trm/compose/recompute.hpp"

#include "gradient/layers/check.hpp"
#include "trm/compose/chain.hpp"
#include "trm/compose/repeat.hpp"
#include "trm/layers/attention.hpp"
#include "trm/layers/linear.hpp"
#include "trm/layers/mlp.hpp"
#include "trm/layers/post_norm.hpp"

using trm::recompute;
using trm::testing::check_gradient;

namespace {
using attention = trm::post_norm<trm::attention<2>>;
using mlp = trm::post_norm<trm::mlp<6>>;
using block = trm::chain<trm::named<"attention", attention>, trm::named<"mlp", mlp>>;
}  // namespace

TEST_CASE("a layer computed again") { CHECK_GRADIENT((check_gradient<recompute<mlp>, trm::shape{3, 4}>())); }

TEST_CASE("a layer without a norm computed again") {
  CHECK_GRADIENT((check_gradient<recompute<trm::linear<7, trm::bias::zero>>, trm::shape{3, 4}>()));
}

TEST_CASE("blocks computed again, one at a time") {
  CHECK_GRADIENT((check_gradient<trm::repeat<"layers", 3, recompute<block>>, trm::shape{3, 4}>({.lengths = {2, 3}})));
}

TEST_CASE("one of the layers of a chain computed again") {
  using layers =
      trm::chain<trm::named<"a", recompute<attention>>, trm::named<"b", mlp>, trm::named<"c", recompute<mlp>>>;
  CHECK_GRADIENT((check_gradient<layers, trm::shape{3, 4}>()));
}

TEST_CASE("what is saved is less") {
  using num = trm::numerics<double>;
  constexpr trm::shape input{8, 16};
  using plain = trm::bound<block, input, num>;
  using again = trm::bound<recompute<block>, input, num>;
  CHECK(trm::sample_bytes<again::saved<trm::mode::training>>() == 0);
  CHECK(trm::sample_bytes<plain::saved<trm::mode::training>>() > 0);
}
