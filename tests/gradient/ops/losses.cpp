// SPDX-License-Identifier: MIT
// Gradients of the losses, by differences of the losses that the same operations report.
#include <array>
#include <cmath>
#include <vector>

#include "gradient/layers/check.hpp"
#include "trm/ops/cross_entropy.hpp"
#include "trm/ops/halting.hpp"

namespace {

constexpr int B = 3, S = 4, V = 5;
using logits_view = trm::view<double, S, V>;
using q_view = trm::view<double, 1, 2>;
namespace detail = trm::testing::detail;

/// sum over samples of the mean loss, by differences; labels with and without unsupervised positions.
template <class Loss>
trm::testing::gradient_report token_loss(double scale, int rows = S) {
  trm::cpu::context<> device(1);
  const trm::call<trm::cpu::context<>> c{device, B, rows};
  const auto n = static_cast<std::size_t>(B * rows * V);
  auto x = detail::random_values(n, 2, 3, 1);
  std::vector<double> d(n, std::nan("")), zeros(n);
  std::vector<int> labels(B * S), predictions(B * S);
  for (int i = 0; i < B * rows; ++i) labels[static_cast<std::size_t>(i)] = i % 3 == 1 ? trm::ignored_label : i % V;
  for (int r = 0; r < rows; ++r)
    labels[static_cast<std::size_t>(rows + r)] = trm::ignored_label;  // a sample without labels
  std::array<trm::token_result, B> results{};
  const auto loss = [&] {
    trm::ops::cross_entropy<Loss>(c, logits_view{x.data()}, labels.data(), 1.0, trm::absent{}, predictions.data(),
                                  results.data());
    double sum = 0;
    for (const auto& r : results) sum += r.loss;
    return scale * sum;
  };
  trm::ops::cross_entropy<Loss>(c, logits_view{x.data()}, labels.data(), scale, logits_view{d.data()},
                                predictions.data(), results.data());
  trm::testing::gradient_report report;
  detail::compare(report, "logits", x.data(), d.data(), zeros.data(), n, {.samples_per_tensor = 1000}, loss, [] {});
  return report;
}

}  // namespace

TEST_CASE("stablemax cross-entropy") {
  CHECK_GRADIENT(token_loss<trm::stablemax>(1));
  CHECK_GRADIENT(token_loss<trm::stablemax>(0.125));
  CHECK_GRADIENT(token_loss<trm::stablemax>(1, 3));
}

TEST_CASE("softmax cross-entropy") {
  CHECK_GRADIENT(token_loss<trm::softmax>(1));
  CHECK_GRADIENT(token_loss<trm::softmax>(0.125));
}

TEST_CASE("stablemax by its formula") {
  trm::cpu::context<> device(1);
  const trm::call<trm::cpu::context<>> c{device, 1, 1};
  std::array<double, V> x{1.5, -2, 0, -0.25, 3};  // s(x) = 2.5, 1/3, 1, 0.8, 4
  const std::array labels{3};
  std::array<int, 1> predictions{};
  std::array<trm::token_result, 1> r{};
  trm::ops::cross_entropy<trm::stablemax>(c, trm::view<double, 1, V>{x.data()}, labels.data(), 1.0, trm::absent{},
                                          predictions.data(), r.data());
  CHECK(r[0].loss == doctest::Approx(-std::log(0.8 / (2.5 + 1.0 / 3 + 1 + 0.8 + 4))).epsilon(1e-14));
  CHECK(predictions[0] == 4);
  CHECK(r[0].supervised == 1);
  CHECK(r[0].correct == 0);
}

TEST_CASE("softmax of logits that overflow exp") {
  trm::cpu::context<> device(1);
  const trm::call<trm::cpu::context<>> c{device, 1, 1};
  std::array<double, 3> x{2000, 1999, -3000}, d{};
  const std::array labels{1};
  std::array<int, 1> predictions{};
  std::array<trm::token_result, 1> r{};
  trm::ops::cross_entropy<trm::softmax>(c, trm::view<double, 1, 3>{x.data()}, labels.data(), 1.0,
                                        trm::view<double, 1, 3>{d.data()}, predictions.data(), r.data());
  CHECK(r[0].loss == doctest::Approx(1 + std::log1p(std::exp(-1.0))).epsilon(1e-14));
  CHECK(d[0] == doctest::Approx(1 / (1 + std::exp(-1.0))).epsilon(1e-14));
}

TEST_CASE("equal logits: the first of the largest is the prediction") {
  trm::cpu::context<> device(1);
  const trm::call<trm::cpu::context<>> c{device, 1, 2};
  std::array<double, 6> x{0, 1, 1, 2, 2, 2};
  const std::array labels{1, 1};
  std::array<int, 2> predictions{};
  std::array<trm::token_result, 1> r{};
  trm::ops::cross_entropy<trm::softmax>(c, trm::view<double, 2, 3>{x.data()}, labels.data(), 1.0, trm::absent{},
                                        predictions.data(), r.data());
  CHECK(predictions == std::array{1, 0});
  CHECK(r[0].correct == 1);
  CHECK_FALSE(r[0].exact());
}

namespace {

/// 0.5 * scale * sum of the Q head's losses by differences. The targets do not depend on q.
template <bool Continue>
trm::testing::gradient_report q_loss(double scale) {
  trm::cpu::context<> device(1);
  const trm::call<trm::cpu::context<>> c{device, B, 1};
  auto q = detail::random_values(2 * B, 3, 4, 1);
  auto next = detail::random_values(2 * B, 3, 4, 2);
  std::vector<double> d(2 * B, std::nan("")), zeros(2 * B);
  std::array<trm::token_result, B> tokens{{{0.5, 3, 3}, {0.5, 3, 2}, {0.5, 4, 4}}};
  std::array<trm::halting_result, B> out{};
  const std::array steps{1, 4, 4};
  const auto run = [&](auto dq) {
    if constexpr (Continue) {
      trm::ops::halting_loss(c, q_view{q.data()}, q_view{next.data()}, tokens.data(), steps.data(), 4, scale, dq,
                             out.data());
    } else {
      trm::ops::halting_loss(c, q_view{q.data()}, trm::absent{}, tokens.data(), steps.data(), 4, scale, dq, out.data());
    }
  };
  const auto loss = [&] {
    run(trm::absent{});
    double sum = 0;
    for (const auto& r : out) sum += 0.5 * scale * (r.halt_loss + r.continue_loss);
    return sum;
  };
  run(q_view{d.data()});
  trm::testing::gradient_report report;
  detail::compare(report, "q", q.data(), d.data(), zeros.data(), 2 * B, {}, loss, [] {});
  return report;
}

}  // namespace

TEST_CASE("the Q head's losses") {
  CHECK_GRADIENT(q_loss<false>(1));
  CHECK_GRADIENT(q_loss<true>(1));
  CHECK_GRADIENT(q_loss<true>(0.25));
}

TEST_CASE("targets of the Q head") {
  trm::cpu::context<> device(1);
  const trm::call<trm::cpu::context<>> c{device, 2, 1};
  std::array<double, 4> q{0.7, -0.3, 0.7, -0.3}, next{-1, 2, -1, 2};
  const std::array<trm::token_result, 2> tokens{{{0, 2, 2}, {0, 2, 1}}};
  const std::array steps{3, 4};
  std::array<trm::halting_result, 2> out{};
  trm::ops::halting_loss(c, q_view{q.data()}, q_view{next.data()}, tokens.data(), steps.data(), 4, 1.0, trm::absent{},
                         out.data());
  const auto bce = [](double x, double t) {
    const double p = 1 / (1 + std::exp(-x));
    return -t * std::log(p) - (1 - t) * std::log(1 - p);
  };
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  CHECK(out[0].halt_loss == doctest::Approx(bce(0.7, 1)).epsilon(1e-13));                  // exactly correct
  CHECK(out[1].halt_loss == doctest::Approx(bce(0.7, 0)).epsilon(1e-13));                  // not
  CHECK(out[0].continue_loss == doctest::Approx(bce(-0.3, sigmoid(2.0))).epsilon(1e-13));  // max(q_halt', q_continue')
  CHECK(out[1].continue_loss ==
        doctest::Approx(bce(-0.3, sigmoid(-1.0))).epsilon(1e-13));  // the last allowed step: q_halt'
  CHECK(out[0].q_halt == 0.7f);
  CHECK(out[0].q_continue == -0.3f);
}

TEST_CASE("a large Q value gives a finite loss") {
  trm::cpu::context<> device(1);
  const trm::call<trm::cpu::context<>> c{device, 1, 1};
  std::array<double, 2> q{1000, -1000}, next{1000, 1000};
  const std::array<trm::token_result, 1> tokens{{{0, 2, 1}}};
  const std::array steps{1};
  std::array<trm::halting_result, 1> out{};
  trm::ops::halting_loss(c, q_view{q.data()}, q_view{next.data()}, tokens.data(), steps.data(), 4, 1.0, trm::absent{},
                         out.data());
  CHECK(out[0].halt_loss == 1000);
  CHECK(out[0].continue_loss == 1000);
}
