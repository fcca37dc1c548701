// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/attention_reference.hpp"

#include "product_cases.hpp"

TEST_CASE("the gradient of attention is the one that differences show") {
  const int rows = 7, d = 4;
  const double scale = 0.7;
  trm_test::numbers draw;
  std::vector<double> x(3 * rows * d), d_o(rows * d), o(rows * d), lse(rows), memory(2 * rows);
  for (double& v : x) v = draw();
  for (double& v : d_o) v = draw();
  const auto visible = [](int i) { return i < 2 ? 0 : i; };
  const auto loss = [&] {
    trm::cpu::attention_forward_reference<double>(&x[0], &x[rows * d], &x[2 * rows * d], d, rows, d, scale, visible,
                                                  o.data(), d, lse.data(), 1, memory.data());
    double sum = 0;
    for (std::size_t i = 0; i < o.size(); ++i) sum += o[i] * d_o[i];
    return sum;
  };
  loss();
  std::vector<double> gradient(x.size(), std::numeric_limits<double>::quiet_NaN());
  trm::cpu::attention_backward_reference<double>(&x[0], &x[rows * d], &x[2 * rows * d], d, rows, d, scale, visible,
                                                 o.data(), d_o.data(), d, lse.data(), 1, &gradient[0],
                                                 &gradient[rows * d], &gradient[2 * rows * d], nullptr);
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    CAPTURE(i);
    const double kept = x[i], h = 1e-5;
    x[i] = kept + h;
    const double up = loss();
    x[i] = kept - h;
    const double down = loss();
    x[i] = kept;
    CHECK(gradient[i] == doctest::Approx((up - down) / (2 * h)).epsilon(1e-7));
    largest = std::max(largest, std::abs(gradient[i]));
  }
  CHECK(largest > 0.1);
}

TEST_CASE("a row that sees one key gives that key's value") {
  const float q[] = {1, 2}, k[] = {3, -1}, v[] = {5, 7};
  float o[2], lse, memory[2];
  trm::cpu::attention_forward_reference<float>(
      q, k, v, 2, 1, 2, 0.5f, [](int) { return 1; }, o, 2, &lse, 1, memory);
  CHECK(o[0] == 5);
  CHECK(o[1] == 7);
  CHECK(lse == doctest::Approx(0.5));
}
