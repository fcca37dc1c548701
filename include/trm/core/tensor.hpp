// SPDX-License-Identifier: MIT
// Parameters: static shape, no memory of their own.
#pragma once
#include <array>
#include <cstddef>
#include <type_traits>

namespace trm {

/// How a parameter begins.
struct init {
  /// truncated_normal: of standard deviation `value`, cut at 2; constant: `value`.
  enum class kind { truncated_normal, constant };
  kind what = kind::truncated_normal;  // which of the two
  double value = 0;                    // the standard deviation, 0 meaning 1/sqrt(last extent); or the constant

  static constexpr init normal(double std) { return {kind::truncated_normal, std}; }  // of this standard deviation
  /// LeCun: standard deviation 1/sqrt(last extent)
  static constexpr init fan_in() { return {kind::truncated_normal, 0}; }
  static constexpr init constant(double v) { return {kind::constant, v}; }  // every element
};

/// What a tensor of element type T holds: a pointer. A backend specialises it for weights in a form of its own.
template <class T>
struct handle {
  using type = T*;
};

/// A parameter with static extents. T is the element type (master weights, gradients, moments), or a backend's prepared form.
template <class T, int... Extents>
struct tensor {
  using value_type = T;  // of the elements
  static constexpr std::array<int, sizeof...(Extents)> extents{Extents...};
  static constexpr std::size_t count = (static_cast<std::size_t>(Extents) * ...);  // elements
  typename handle<T>::type data{};                                                 // where they are
};

/// A weight that is the right operand of a matrix product, v = x W^T with W [N, K]: backends keep it packed.
template <class T, int N, int K>
struct matrix : tensor<T, N, K> {};

/// Is the type a tensor, or a matrix?
template <class V>
inline constexpr bool is_tensor = false;
template <class T, int... E>
inline constexpr bool is_tensor<tensor<T, E...>> = true;
template <class T, int N, int K>
inline constexpr bool is_tensor<matrix<T, N, K>> = true;

/// Is the type a matrix?
template <class V>
inline constexpr bool is_matrix = false;
template <class T, int N, int K>
inline constexpr bool is_matrix<matrix<T, N, K>> = true;

/// Is the type a std::array?
template <class V>
inline constexpr bool is_array = false;
template <class T, std::size_t N>
inline constexpr bool is_array<std::array<T, N>> = true;

/// No parameters, nothing saved, no scratch.
struct empty {
  template <class F>
  constexpr void fields(F&&) {}
};

}  // namespace trm
