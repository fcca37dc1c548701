// SPDX-License-Identifier: MIT
// The element types of stored tensors (.npy, safetensors), and their checked conversion into the library's own.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "trm/core/bf16.hpp"

namespace trm {

/// The type of the elements of an array in a file, little-endian: boolean, a byte that is 0 or 1; integers u8, i8, i16, u16, i32, u32,
/// i64, u64; f16, f32, f64 of IEEE 754, and bf16. The order is the one in which safetensors files lay out their tensors, from the last
/// to the first.
enum class element_type : std::uint8_t { boolean, u8, i8, i16, u16, f16, bf16, i32, u32, f32, f64, i64, u64 };

/// Bytes of an element.
constexpr std::size_t size_of(element_type t) {
  constexpr std::size_t sizes[] = {1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 8, 8, 8};
  return sizes[static_cast<std::size_t>(t)];
}
/// Is it f16, bf16, f32 or f64?
constexpr bool is_float(element_type t) {
  return t == element_type::f16 || t == element_type::bf16 || t == element_type::f32 || t == element_type::f64;
}
/// For messages: "bool", "uint8", "float32", ...
constexpr std::string_view name_of(element_type t) {
  constexpr std::string_view names[] = {"bool",  "uint8",  "int8",    "int16",   "uint16", "float16", "bfloat16",
                                        "int32", "uint32", "float32", "float64", "int64",  "uint64"};
  return names[static_cast<std::size_t>(t)];
}

namespace detail {

/// IEEE binary16, as stored.
struct f16 {
  std::uint16_t bits;
  constexpr operator float() const {
    const std::uint32_t sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31u, fraction = bits & 0x3ffu;
    if (exponent == 0) return (sign != 0 ? -0x1p-24f : 0x1p-24f) * static_cast<float>(fraction);
    return __builtin_bit_cast(float, sign | (exponent == 31 ? 255u : exponent + 112u) << 23 | fraction << 13);
  }
};
/// One byte that must be 0 or 1.
struct bool_byte {
  std::uint8_t value;
};

template <class T>
inline constexpr bool is_real = std::is_floating_point_v<T> || std::is_same_v<T, bf16> || std::is_same_v<T, f16>;
template <class T>  // integers up to 2^mantissa are exact
inline constexpr int mantissa = std::is_same_v<T, bf16> ? 8 : std::numeric_limits<T>::digits;

/// False where `v` has no place in To.
template <class From, class To>
constexpr bool convert_value(From v, To& out) {
  if constexpr (std::is_same_v<From, bool_byte>) {
    return v.value <= 1 && convert_value(v.value, out);
  } else if constexpr (is_real<From>) {
    const auto finite = [](double x) { return x - x == 0; };
    const double value = static_cast<double>(v);  // exact from every type
    out = static_cast<To>(value);
    return finite(static_cast<double>(out)) || !finite(value);
  } else if constexpr (std::is_same_v<To, bool>) {
    out = v != 0;
    return v == 0 || v == 1;
  } else if constexpr (is_real<To>) {
    constexpr std::int64_t bound = std::int64_t{1} << mantissa<To>;
    out = static_cast<To>(static_cast<double>(v));
    return std::cmp_less_equal(v, bound) && std::cmp_greater_equal(v, -bound);
  } else {
    out = static_cast<To>(v);
    return std::in_range<To>(v);
  }
}

template <class From, class To>
std::size_t convert_all(const std::byte* from, std::size_t count, To* to) {
  for (std::size_t i = 0; i < count; ++i) {
    From v;
    std::memcpy(&v, from + i * sizeof(From), sizeof(From));  // files do not align their data
    if (!convert_value(v, to[i])) return i;
  }
  return count;
}

}  // namespace detail

/// The stored type of a C++ type.
template <class T>
constexpr element_type element_type_of() {
  using e = element_type;
  if constexpr (std::is_same_v<T, bool>)
    return e::boolean;
  else if constexpr (std::is_same_v<T, bf16>)
    return e::bf16;
  else if constexpr (std::is_same_v<T, float>)
    return e::f32;
  else if constexpr (std::is_same_v<T, double>)
    return e::f64;
  else {
    static_assert(std::is_integral_v<T> && sizeof(T) <= 8, "element_type_of: no stored type for this type");
    constexpr e with_sign[] = {e::i8, e::i16, e::i32, e::i64}, without[] = {e::u8, e::u16, e::u32, e::u64};
    constexpr int i = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
    return std::is_signed_v<T> ? with_sign[i] : without[i];
  }
}

/// May values of type `from` be read as To? Everything may but floating point as integers or bool.
template <class To>
constexpr bool readable_as(element_type from) {
  return detail::is_real<To> || !is_float(from);
}

/// Converts `count` stored values. Returns `count`, or the index of the first value that does not fit: an integer out
/// of range (or, into floating point, beyond the integers that are exact), a bool other than 0 and 1, a finite number
/// that would become infinite. Between floating-point types values are rounded to nearest. Requires
/// readable_as<To>(type); `from` need not be aligned.
template <class To>
std::size_t convert(element_type type, const std::byte* from, std::size_t count, To* to) {
  if (count == 0) return 0;
  if constexpr (detail::is_real<To>) {
    if (type == element_type::f16) return detail::convert_all<detail::f16>(from, count, to);
    if (type == element_type::bf16) return detail::convert_all<bf16>(from, count, to);
    if (type == element_type::f32) return detail::convert_all<float>(from, count, to);
    if (type == element_type::f64) return detail::convert_all<double>(from, count, to);
  }
  switch (type) {
    case element_type::boolean:
      return detail::convert_all<detail::bool_byte>(from, count, to);
    case element_type::u8:
      return detail::convert_all<std::uint8_t>(from, count, to);
    case element_type::i8:
      return detail::convert_all<std::int8_t>(from, count, to);
    case element_type::i16:
      return detail::convert_all<std::int16_t>(from, count, to);
    case element_type::u16:
      return detail::convert_all<std::uint16_t>(from, count, to);
    case element_type::i32:
      return detail::convert_all<std::int32_t>(from, count, to);
    case element_type::u32:
      return detail::convert_all<std::uint32_t>(from, count, to);
    case element_type::i64:
      return detail::convert_all<std::int64_t>(from, count, to);
    case element_type::u64:
      return detail::convert_all<std::uint64_t>(from, count, to);
    default:
      return 0;  // floating point as integers: nothing fits
  }
}

}  // namespace trm
