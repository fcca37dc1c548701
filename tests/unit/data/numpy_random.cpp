// SPDX-License-Identifier: MIT
// The sequences were recorded from numpy 2.4.6, `r = numpy.random.RandomState(seed)`, with the calls in the comments.
#include "trm/data/numpy_random.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

using trm::numpy_random;
using draws = std::vector<std::int64_t>;

static draws randints(numpy_random& r, std::int64_t low, std::int64_t high, int count) {
  draws all;
  for (int i = 0; i < count; ++i) all.push_back(r.randint(low, high));
  return all;
}

TEST_CASE("32-bit outputs for the smallest, a usual and the largest seed") {
  // r.randint(0, 2**32, dtype=numpy.uint64)
  const auto first = [](std::uint32_t seed) {
    numpy_random r(seed);
    std::vector<std::uint32_t> all;
    for (int i = 0; i < 6; ++i) all.push_back(r.next_uint32());
    return all;
  };
  using words = std::vector<std::uint32_t>;
  CHECK(first(0) == words{2357136044, 2546248239, 3071714933, 3626093760, 2588848963, 3684848379});
  CHECK(first(42) == words{1608637542, 3421126067, 4083286876, 787846414, 3143890026, 3348747335});
  CHECK(first(4294967295) == words{419326371, 479346978, 3918654476, 2416749639, 3388880820, 2260532800});
}

TEST_CASE("randint") {
  numpy_random a(42);  // r.randint(0, 8)
  CHECK(randints(a, 0, 8, 24) == draws{6, 3, 4, 6, 2, 7, 4, 4, 6, 1, 2, 6, 2, 2, 7, 4, 3, 7, 7, 2, 5, 4, 1, 7});
  numpy_random b(42);  // r.randint(-5, 17): rejects
  CHECK(randints(b, -5, 17, 24) ==
        draws{1, 14, 9, 5, 2, 15, 1, 13, 5, 5, 15, -2, 2, -3, 16, 15, -4, 6, 0, -4, 15, -5, 6, 16});
  numpy_random c(7);  // r.randint(0, 33): rejects nearly every other draw
  CHECK(randints(c, 0, 33, 24) ==
        draws{4, 25, 3, 19, 23, 28, 14, 23, 8, 25, 26, 8, 4, 7, 0, 11, 6, 19, 5, 24, 0, 9, 14, 4});
}

TEST_CASE("randint changes from one output to two where the range passes 32 bits") {
  numpy_random r(7);
  CHECK(randints(r, 0, std::int64_t{1} << 32, 4) == draws{327741615, 976413892, 3349725721, 1369975286});
  CHECK(randints(r, 0, (std::int64_t{1} << 32) + 1, 4) == draws{1322904761, 1133316631, 372560217, 1801189930});
  constexpr auto lowest = std::numeric_limits<std::int64_t>::min();
  constexpr auto highest = std::numeric_limits<std::int64_t>::max();
  CHECK(randints(r, lowest, highest, 4) ==
        draws{-4271546761957166200, -2167517403703322, 3306209770279126448, 5602996353307369863});
  CHECK(r.randint(0, std::int64_t{1} << 31) == 1636129708);
}

TEST_CASE("a range of one value draws nothing, an empty range is an error") {
  numpy_random r(7);
  CHECK(randints(r, 3, 4, 3) == draws{3, 3, 3});
  CHECK(r.randint(0, 1000) == 175);
  CHECK_THROWS_WITH_AS(r.randint(3, 3), "randint: nothing to draw from in [3, 3)", trm::error);
}

TEST_CASE("shuffle") {
  numpy_random r(42);  // x = list(range(20)); r.shuffle(x)
  draws x(20);
  std::iota(x.begin(), x.end(), 0);
  r.shuffle(x);
  CHECK(x == draws{0, 17, 15, 1, 8, 5, 11, 3, 18, 16, 13, 2, 9, 19, 4, 12, 7, 10, 14, 6});
  CHECK(r.randint(0, 1000) == 385);  // as many outputs were used

  numpy_random s(42);  // lists of one and of no element use none
  draws one{1}, none;
  s.shuffle(one);
  s.shuffle(none);
  CHECK(s.randint(0, 1000) == 102);
}

TEST_CASE("permutation, of an array and of a range") {
  numpy_random r(3);  // r.permutation(numpy.arange(1, 10, dtype=numpy.uint8)), twice
  std::vector<std::uint8_t> a(9);
  std::iota(a.begin(), a.end(), std::uint8_t{1});
  auto b = a;
  r.shuffle(a);
  r.shuffle(b);
  CHECK(a == std::vector<std::uint8_t>{7, 3, 8, 5, 6, 1, 4, 2, 9});
  CHECK(b == std::vector<std::uint8_t>{1, 7, 5, 8, 6, 2, 9, 3, 4});
  CHECK(r.permutation(12) == draws{9, 8, 3, 5, 1, 2, 10, 11, 7, 4, 0, 6});
  CHECK(r.randint(0, 1000) == 258);
}

TEST_CASE("the draws of an ARC build: shuffle 400 puzzles, then transforms and colours") {
  numpy_random r(42);
  draws x(400);
  std::iota(x.begin(), x.end(), 0);
  r.shuffle(x);
  CHECK(draws(x.begin(), x.begin() + 10) == draws{209, 280, 33, 210, 93, 84, 329, 94, 266, 126});
  CHECK(draws(x.end() - 5, x.end()) == draws{71, 106, 270, 348, 102});
  const std::vector<std::int64_t> transforms{7, 7, 3};
  const std::vector<std::string> colours{"612397845", "821593764", "856249713"};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(r.randint(0, 8) == transforms[i]);
    std::string digits = "123456789";
    r.shuffle(digits);
    CHECK(digits == colours[i]);
  }
}
