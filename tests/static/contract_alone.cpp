// SPDX-License-Identifier: MIT
// A layer can be written with trm/layers/contract.hpp and nothing else.
#include "trm/layers/contract.hpp"

#include <doctest/doctest.h>

namespace {

/// y = x
struct identity {
  template <trm::shape In, class Num>
  struct at : trm::plain_entry {
    static constexpr trm::shape out = In;
    template <class T>
    using params = trm::empty;
    template <trm::mode>
    using saved = trm::empty;
    template <trm::mode>
    using scratch = trm::empty;
    template <trm::mode, class C, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const C& c, const P&, X x, S&, K&, Sink y) {
      trm::ops::emit(c, x, y);
    }
    template <class C, class P, class G, class X, class Y, class D, class S, class K, class Sink>
    static constexpr void backward(const C& c, const P&, const G&, X, Y, D d, S&, K&, Sink dx) {
      trm::ops::emit(c, d, dx);
    }
  };
};
static_assert(trm::layer<identity, trm::shape{4, 8}, trm::numerics<float>>);

}  // namespace

TEST_CASE("the contract alone is enough for a layer") {
  CHECK(trm::layer<identity, trm::shape{4, 8}, trm::numerics<trm::bf16>>);
}
