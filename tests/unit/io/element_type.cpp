// SPDX-License-Identifier: MIT
#include "trm/io/element_type.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace {

using trm::convert;
using trm::element_type;

static_assert(trm::element_type_of<long long>() == element_type::i64 &&
              trm::element_type_of<std::uint16_t>() == element_type::u16);
static_assert(trm::element_type_of<bool>() == element_type::boolean &&
              trm::element_type_of<trm::bf16>() == element_type::bf16);
static_assert(trm::readable_as<float>(element_type::i32) && trm::readable_as<std::int32_t>(element_type::boolean));
static_assert(!trm::readable_as<std::int32_t>(element_type::f32) && !trm::readable_as<bool>(element_type::f16));

/// How many of `values` were converted before the first that does not fit; and what they became.
template <class To, class From>
std::size_t fits(std::vector<From> values, std::vector<To>* out = nullptr) {
  std::vector<std::byte> stored(values.size() * sizeof(From) + 1);
  std::memcpy(stored.data() + 1, values.data(), values.size() * sizeof(From));  // not aligned
  std::vector<To> to(values.size());
  const std::size_t n = convert(trm::element_type_of<From>(), stored.data() + 1, values.size(), to.data());
  if (out != nullptr) *out = to;
  return n;
}

TEST_CASE("integers keep their value or are refused at the first that does not fit") {
  std::vector<std::int32_t> out;
  CHECK(fits<std::int32_t, std::int64_t>({-5, 2147483647, -2147483648LL}, &out) == 3);
  CHECK(out == std::vector<std::int32_t>{-5, 2147483647, -2147483647 - 1});
  CHECK(fits<std::int32_t, std::int64_t>({1, 2147483648LL}) == 1);
  CHECK(fits<std::int32_t, std::int64_t>({-2147483649LL}) == 0);
  CHECK(fits<std::int32_t, std::uint32_t>({1, 2, 0x80000000u}) == 2);
  CHECK(fits<std::int64_t, std::uint64_t>({~0ull}) == 0);
  CHECK(fits<std::uint8_t, std::int8_t>({5, -1}) == 1);
  CHECK(fits<std::int32_t, std::uint8_t>({0, 255}, &out) == 2);
  CHECK(out == std::vector<std::int32_t>{0, 255});
}

TEST_CASE("a bool is 0 or 1") {
  const std::byte stored[] = {std::byte{0}, std::byte{1}, std::byte{2}};
  bool out[3];
  CHECK(convert(element_type::boolean, stored, 3, out) == 2);
  CHECK((!out[0] && out[1]));
  std::int32_t integers[3];
  CHECK(convert(element_type::boolean, stored, 3, integers) == 2);
  CHECK(convert(element_type::u8, stored, 3, out) == 2);
  CHECK(convert(element_type::u8, stored, 3, integers) == 3);
}

TEST_CASE("integers become floating point where that is exact") {
  CHECK(fits<float, std::int32_t>({1 << 24, -(1 << 24), (1 << 24) + 1}) == 2);
  CHECK(fits<double, std::int64_t>({1LL << 53, (1LL << 53) + 1}) == 1);
  CHECK(fits<trm::bf16, std::int32_t>({256, 257}) == 1);
  CHECK(fits<double, std::uint64_t>({5, ~0ull}) == 1);
}

TEST_CASE("floating point: rounding is fine, becoming infinite is not, NaN and infinity stay") {
  std::vector<float> out;
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(fits<float, double>({0.1, inf, std::nan(""), 1e-300, 3e38, 1e39}, &out) == 5);
  CHECK(out[0] == 0.1f);
  CHECK(std::isinf(out[1]));
  CHECK(std::isnan(out[2]));
  CHECK(out[3] == 0);
  CHECK(fits<double, float>({3e38f}) == 1);
  std::vector<trm::bf16> rounded;
  CHECK(fits<trm::bf16, float>({1.00390625f, 3.4e38f}, &rounded) == 1);
  CHECK(static_cast<float>(rounded[0]) == 1.0f);  // a tie goes to even
}

TEST_CASE("float16: every bit pattern") {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    float out = 0;
    REQUIRE(convert(element_type::f16, reinterpret_cast<const std::byte*>(&half), 1, &out) == 1);
    const int exponent = static_cast<int>(bits >> 10 & 31), fraction = static_cast<int>(bits & 1023);
    const float sign = bits >> 15 != 0 ? -1.0f : 1.0f;
    if (exponent == 31) {
      CHECK((fraction == 0 ? out == sign * std::numeric_limits<float>::infinity() : std::isnan(out)));
    } else {
      const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                            : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
      CHECK((out == sign * magnitude && std::signbit(out) == (sign < 0)));
    }
  }
}

}  // namespace
