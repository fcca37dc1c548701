// SPDX-License-Identifier: MIT
// The example of a layer of one's own does what docs/own_model.md says, in every precision and on the backend that only counts.
#include <doctest/doctest.h>

#include <utility>

#include "trm/train/solver.hpp"

#define main own_layer_main
#include "../../../examples/own_layer.cpp"
#undef main

TEST_CASE("the example's layer, network and head pass the gradient check, and its model learns") {
  CHECK(own_layer_main() == 0);
}

TEST_CASE("the example's layer keeps the contract in every precision") {
  static_assert(trm::layer<neighbours, trm::shape{9, 24}, trm::numerics<double>>);
  static_assert(trm::layer<neighbours, trm::shape{9, 24}, trm::numerics<trm::bf16>>);
}

struct no_backward {
  template <trm::shape In, class Num>
  struct at : neighbours::at<In, Num> {
    static void backward() = delete;
  };
};

TEST_CASE("what is not a layer is not taken for one") {
  static_assert(!trm::layer<trm::config, trm::shape{9, 24}, trm::numerics<float>>);
  static_assert(!trm::layer<int, trm::shape{9, 24}, trm::numerics<float>>);
  static_assert(!trm::layer<no_backward, trm::shape{9, 24}, trm::numerics<float>>);
}

TEST_CASE("its passes are counted: two each way of the layer, and the weight's gradient") {
  using at = trm::bound<neighbours, trm::shape{9, 24}, trm::numerics<float>>;
  constexpr auto passes = [] {
    trm::count k;
    const trm::call<trm::count> call{k, 4, 9};
    at::params<float> p{};
    at::saved<trm::mode::training> s{};
    at::scratch<trm::mode::training> scratch{};
    using row = trm::view<float, 9, 24>;
    at::forward<trm::mode::training>(call, p, row{}, s, scratch, trm::sink::store<row>{});
    const int forward = k.passes;
    at::backward(call, p, p, row{}, row{}, row{}, s, scratch, trm::sink::store<row>{});
    return std::pair(forward, k.passes - forward);
  }();
  CHECK(passes.first == 2);
  CHECK(passes.second == 3);
}

TEST_CASE("a bf16 model of one's own runs: what it gives is that of float32 up to bf16's rounding") {
  const auto logits = []<class T>(T) {
    using m = trm::model<c, T, my_net, my_head>;
    trm::cpu::context<> device(2);
    trm::weights<m> w;
    w.initialise(3);
    trm::solver<m> solver(device, 2);
    solver.use(w);
    std::vector<int> tokens(2 * 16);
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int>(i) % c.vocab;
    solver.begin({tokens, {}, {}});
    solver.step();
    return std::vector<double>(solver.logits().begin(), solver.logits().end());
  };
  const auto a = logits(float()), b = logits(trm::bf16());
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference += (a[i] - b[i]) * (a[i] - b[i]), size += a[i] * a[i];
  INFO("relative norm ", std::sqrt(difference / size));
  CHECK(difference > 0);
  CHECK(std::sqrt(difference / size) < 0.1);
}
