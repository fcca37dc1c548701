// SPDX-License-Identifier: MIT
// Strings and numbers as template arguments.
#pragma once
#include <cstddef>

namespace trm {

/// A string literal as a template argument: `named<"mlp", swiglu<4>>`.
template <std::size_t N>
struct text {
  char data[N]{};  // with its zero
  /// Of a string literal, without being asked.
  constexpr text(const char (&s)[N]) {
    for (std::size_t i = 0; i < N; ++i) data[i] = s[i];
  }
  constexpr const char* c_str() const { return data; }  // with its zero
};

/// A floating-point number as a template argument (clang 14 takes no bare double): `swiglu<4>`, `rope<10000.0>`.
struct number {
  double value;  // the number
  /// Of a number, without being asked.
  constexpr number(double v) : value(v) {}
  constexpr number(int v) : value(v) {}  // of its own: clang does not convert a template argument twice
  friend constexpr bool operator==(const number&, const number&) = default;
};

}  // namespace trm
