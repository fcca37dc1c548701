// SPDX-License-Identifier: MIT
#include <cmath>

#include "gradient/layers/check.hpp"
#include "trm/layers/mlp.hpp"
#include "trm/layers/swiglu.hpp"

namespace {

/// A smooth activation of a user's own: x * sigmoid(x).
struct silu {
  template <class A>
  static A value(A x) {
    return x / (A(1) + std::exp(-x));
  }
  template <class A>
  static A derivative(A x) {
    const A s = A(1) / (A(1) + std::exp(-x));
    return s * (A(1) + x * (A(1) - s));
  }
};

}  // namespace

using trm::testing::check_gradient;

TEST_CASE("swiglu") { CHECK_GRADIENT((check_gradient<trm::swiglu<4>, trm::shape{3, 8}>())); }

TEST_CASE("swiglu on fewer rows than its static length") {
  CHECK_GRADIENT((check_gradient<trm::swiglu<4>, trm::shape{5, 6}>({.rows = 2})));
}

TEST_CASE("mlp with squared relu") { CHECK_GRADIENT((check_gradient<trm::mlp<11>, trm::shape{4, 6}>())); }

TEST_CASE("mlp with an activation of one's own") {
  CHECK_GRADIENT((check_gradient<trm::mlp<10, silu>, trm::shape{4, 6}>()));
}
