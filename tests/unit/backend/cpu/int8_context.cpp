// SPDX-License-Identifier: MIT
// A model whose products are int8: both ways of reading a matrix, a bias, several threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "trm/backend/cpu/context.hpp"
#include "trm/backend/cpu/int8_product.hpp"
#include "trm/core/random.hpp"
#include "trm/models/model.hpp"
#include "trm/train/solver.hpp"
#include "trm/train/weights.hpp"

namespace {

constexpr trm::config config{.tokens = 25,
                             .vocab = 11,
                             .hidden = 64,
                             .heads = 4,
                             .h_cycles = 1,
                             .l_cycles = 1,
                             .width_multiple = 16,
                             .mixing = trm::mixing_kind::tokens,
                             .positions = trm::position_kind::none};
using model = trm::model<config, float>;
using int8 = trm::cpu::context<trm::cpu::int8_product>;
constexpr int batch = 5;

const trm::weights<model>& untrained() {
  static const trm::weights<model> w = [] {
    trm::weights<model> made;
    made.initialise(3);
    return made;
  }();
  return w;
}

/// The logits of one step, of all samples.
template <class Backend>
std::vector<float> logits(int threads) {
  std::vector<int> inputs(static_cast<std::size_t>(batch * config.tokens));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    inputs[i] = static_cast<int>(trm::philox{1}.at(trm::purpose::user, 0).below(11, i));
  Backend device(threads);
  trm::solver<model, Backend> solver(device, batch);
  solver.use(untrained());
  solver.begin({inputs, {}, {}});
  solver.step();
  const auto all = solver.logits();
  return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("a model in int8 gives the same bits whatever the number of threads") {
  const auto expected = logits<int8>(1);
  CHECK(logits<int8>(2) == expected);
  CHECK(logits<int8>(3) == expected);
}

TEST_CASE("a model in int8 is near to itself in float32") {
  const auto exact = logits<trm::cpu::context<>>(1), quantised = logits<int8>(1);
  REQUIRE(exact.size() == quantised.size());
  double error = 0, power = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    error += std::pow(static_cast<double>(quantised[i]) - static_cast<double>(exact[i]), 2);
    power += std::pow(static_cast<double>(exact[i]), 2);
  }
  const double relative = std::sqrt(error / power);
  // Rounding to steps of max / 127 is wrong by max / (127 sqrt(12)) in the mean; of 64 normal values max is about 2.4 times their own
  // mean, so an operand is off by 0.55 % and a product by 0.78 %. One after the other come 2 applications of 2 layers of 4 products and
  // the head, 17: sqrt(17) times 0.78 % is 3.2 %. Twice that is allowed.
  CHECK(relative > 1e-3);  // it is int8 indeed
  CHECK(relative < 0.064);
}
