// SPDX-License-Identifier: MIT
// That the gradient check finds what it is there to find: each layer below makes one mistake.
#include "trm/testing/gradient_check.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/throws.hpp"
#include "trm/layers/linear.hpp"

namespace {

enum class mistake {
  none,
  weight_gradient_scaled,
  weight_gradient_missing,
  weight_gradient_overwritten,
  input_gradient_missing,
  gradient_of_the_residual_missing,
  output_not_written,
  inference_differs,
  scratch_outlives_the_call,
  saved_read_before_written,
};

/// y = x + x W^T, with one mistake.
template <mistake Mistake>
struct residual_linear {
  template <trm::shape In, class Num>
  struct at : trm::plain_entry {
    static constexpr trm::shape out = In;
    using A = typename Num::activation;
    using x_view = trm::view<A, In.length, In.width>;

    template <class T>
    struct params {
      trm::matrix<T, In.width, In.width> weight;
      template <class F>
      constexpr void fields(F&& f) {
        f("weight", weight);
      }
    };
    struct memory {
      x_view copy;
      template <class F>
      constexpr void fields(F&& f) {
        f("copy", copy);
      }
    };
    template <trm::mode>
    using saved = memory;
    template <trm::mode>
    using scratch = memory;

    template <trm::mode M, class B, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const trm::call<B>& c, const P& p, X x, S& s, K& k, Sink sink) {
      if (Mistake == mistake::output_not_written) return;
      trm::ops::emit(c, x, trm::sink::store<x_view>{k.copy});
      if (Mistake != mistake::saved_read_before_written) trm::ops::emit(c, x, trm::sink::store<x_view>{s.copy});
      if (M == trm::mode::inference && Mistake == mistake::inference_differs) {
        trm::ops::matmul(c, x, p.weight, sink);
      } else {
        trm::ops::matmul(c, x, p.weight, trm::sink::plus<X, Sink>{x, sink});
      }
    }
    template <class B, class P, class G, class X, class Y, class D, class S, class K, class Sink>
    static constexpr void backward(const trm::call<B>& c, const P& p, const G& g, X, Y, D d, S& s, K& k, Sink dx) {
      const x_view x = Mistake == mistake::scratch_outlives_the_call ? k.copy : s.copy;
      if constexpr (Mistake == mistake::weight_gradient_overwritten) {
        for (int i = 0; i < In.width * In.width; ++i) clear(g.weight.data, i);
      }
      if (Mistake != mistake::weight_gradient_missing) trm::ops::matmul_weight_gradient(c, d, x, g.weight);
      if (Mistake == mistake::weight_gradient_scaled) trm::ops::matmul_weight_gradient(c.with_rows(1), d, x, g.weight);
      if (Mistake == mistake::input_gradient_missing) return;
      if (Mistake == mistake::gradient_of_the_residual_missing) {
        trm::ops::matmul_input_gradient(c, d, p.weight, dx);
      } else {
        trm::ops::matmul_input_gradient(c, d, p.weight, trm::sink::plus<D, Sink>{d, dx});
      }
    }

   private:
    static constexpr void clear(double* g, int i) { g[i] = 0; }
    template <class T>
    static constexpr void clear(T, int) {}
  };
};

template <mistake Mistake>
trm::testing::gradient_report check() {
  return trm::testing::check_gradient<residual_linear<Mistake>, trm::shape{3, 4}>();
}

}  // namespace

TEST_CASE("no mistake") {
  const auto r = check<mistake::none>();
  INFO(r.text());
  CHECK(r.passed());
  CHECK(r.compared == 16 + 24);
  CHECK(r.worst < 1e-6);
}

TEST_CASE("wrong numbers") {
  CHECK_FALSE(check<mistake::weight_gradient_scaled>().passed());
  CHECK(check<mistake::weight_gradient_scaled>().where == "weight");
  CHECK_FALSE(check<mistake::weight_gradient_missing>().passed());
  CHECK_FALSE(check<mistake::input_gradient_missing>().passed());
  CHECK(check<mistake::input_gradient_missing>().where == "input");
  CHECK_FALSE(check<mistake::gradient_of_the_residual_missing>().passed());
}

TEST_CASE("gradients that are stored and not added") {
  CHECK_FALSE(check<mistake::weight_gradient_overwritten>().passed());
}

TEST_CASE("memory that is not what the layer takes it for") {
  CHECK_FALSE(check<mistake::scratch_outlives_the_call>().passed());
  CHECK_FALSE(check<mistake::saved_read_before_written>().passed());
  CHECK(check<mistake::output_not_written>().text().find("NaN") != std::string::npos);
}

TEST_CASE("inference that is not training's forward pass") {
  CHECK(check<mistake::inference_differs>().text() == "forward: inference does not give what training gives");
}

TEST_CASE("options that do not fit") {
  using layer = trm::linear<3>;
  const auto run = [](const trm::testing::gradient_check_options& o) {
    trm::testing::check_gradient<layer, trm::shape{3, 4}>(o);
  };
  trm_test::check_error([&] { run({.batch = 0}); }, "gradient check: batch, rows");
  trm_test::check_error([&] { run({.rows = 4}); }, "gradient check: batch, rows");
  trm_test::check_error(
      [&] {
        run({.batch = 2, .lengths = {1, 2, 3}});
      },
      "lengths and prefixes need a number for each of 2 samples");
  trm_test::check_error([&] { run({.batch = 2, .prefixes = {1}}); },
                        "lengths and prefixes need a number for each of 2 samples");
}
