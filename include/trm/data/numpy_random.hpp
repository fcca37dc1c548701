// SPDX-License-Identifier: MIT
// NumPy's legacy RandomState: the draws that published dataset builders make, bit for bit.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"

namespace trm {

/// `numpy.random.RandomState(seed)`, equally the global generator after `numpy.random.seed(seed)`, for a seed that is
/// an integer below 2^32. NumPy keeps this stream fixed for ever (NEP 19). For identity with datasets built in Python,
/// nothing else: everything of our own draws from a counter-based generator.
class numpy_random {
 public:
  /// Knuth's initialisation of MT19937, which is also that of std::mt19937.
  explicit numpy_random(std::uint32_t seed) : engine_(seed) {}

  /// 32 random bits: one output of MT19937.
  std::uint32_t next_uint32() { return static_cast<std::uint32_t>(engine_()); }

  /// 64 random bits: two outputs, the upper half first.
  std::uint64_t next_uint64() {
    const std::uint64_t upper = next_uint32();
    return upper << 32 | next_uint32();
  }

  /// Uniform in [0, max] by masked rejection; draws nothing where max is 0. NumPy's `random_interval`.
  std::uint64_t interval(std::uint64_t max) {
    if (max == 0) return 0;
    const std::uint64_t mask = ~std::uint64_t{0} >> std::countl_zero(max);
    std::uint64_t value;
    do {
      // The choice between one and two outputs is NumPy's, by the width of the range and not of the result's type.
      value = (max <= 0xffffffffu ? next_uint32() : next_uint64()) & mask;
    } while (value > max);
    return value;
  }

  /// Uniform in [low, high), high excluded, as `randint(low, high)` of the default dtype (int64).
  /// \throws trm::error where low >= high
  std::int64_t randint(std::int64_t low, std::int64_t high) {
    if (low >= high) {
      throw error("randint", "nothing to draw from in [" + std::to_string(low) + ", " + std::to_string(high) + ")");
    }
    const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) - 1;
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + interval(range));
  }

  /// Shuffles in place as `shuffle(x)` does for a list and for a one-dimensional array.
  /// `x`: anything with size() and operator[].
  template <class Sequence>
  void shuffle(Sequence& x) {
    using std::swap;
    for (std::size_t i = std::size(x); i > 1; --i) {
      const auto j = static_cast<std::size_t>(interval(i - 1));
      swap(x[i - 1], x[j]);
    }
  }

  /// 0 .. n-1 in random order: `permutation(n)`.
  std::vector<std::int64_t> permutation(std::size_t n) {
    std::vector<std::int64_t> order(n);
    std::iota(order.begin(), order.end(), std::int64_t{0});
    shuffle(order);
    return order;
  }

 private:
  std::mt19937 engine_;
};

}  // namespace trm
