// SPDX-License-Identifier: MIT
// Memory of parameters: element offsets, the same in every flat buffer (weights, gradients, moments, EMA), and their names.
#pragma once
#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

#include "trm/core/activations.hpp"
#include "trm/core/tensor.hpp"

namespace trm {

/// Every parameter begins at a multiple of this many elements; the elements between are zero and stay zero.
inline constexpr std::size_t parameter_alignment = 64;

namespace detail {

/// Walks the parameters of an aggregate in declaration order: `visit(path, tensor, init)`. The path joins the names of
/// the nested aggregates with dots; elements of arrays are named by their index.
template <class Visit>
struct parameter_walk {
  Visit& visit;
  char path[128]{};
  std::size_t length = 0;

  constexpr void push(std::string_view s) {
    if (s.empty()) return;
    if (length != 0) path[length++] = '.';
    for (char ch : s) path[length++] = ch;
  }
  template <class Member>
  constexpr void operator()(const char* name, Member& m, init how = {}) {
    const std::size_t mark = length;
    push(name);
    if constexpr (is_tensor<Member>) {
      visit(std::string_view(path, length), m, how);
    } else if constexpr (is_array<Member>) {
      std::size_t i = 0;
      for (auto& e : m) {
        const char digits[4] = {static_cast<char>('0' + i / 100), static_cast<char>('0' + i / 10 % 10),
                                static_cast<char>('0' + i % 10), '\0'};
        (*this)(i >= 100 ? digits : i >= 10 ? digits + 1 : digits + 2, e, how);
        ++i;
      }
    } else {
      m.fields(*this);
    }
    length = mark;
  }
};

}  // namespace detail

/// Calls `visit(std::string_view name, tensor&, init)` for every parameter of the aggregate.
template <class Params, class Visit>
constexpr void for_each_parameter(Params& p, Visit visit) {
  detail::parameter_walk<Visit> walk{visit};
  walk("", p);
}

/// Elements of a flat buffer that holds every parameter of the aggregate, padding included.
template <class Params>
constexpr std::size_t parameter_extent() {
  Params p{};
  std::size_t at = 0;
  for_each_parameter(p, [&]<class T>(std::string_view, T&, init) { at += round_up(T::count, parameter_alignment); });
  return at;
}

/// Number of parameters, padding left out.
template <class Params>
constexpr std::size_t parameter_count() {
  Params p{};
  std::size_t n = 0;
  for_each_parameter(p, [&]<class T>(std::string_view, T&, init) { n += T::count; });
  return n;
}

/// The aggregate bound to a flat buffer of parameter_extent elements.
template <template <class> class Params, class T>
constexpr Params<T> bind_parameters(T* base) {
  Params<T> p{};
  std::size_t at = 0;
  for_each_parameter(p, [&]<class M>(std::string_view, M& m, init) {
    m.data = base + at;
    at += round_up(M::count, parameter_alignment);
  });
  return p;
}

/// One parameter of a model: its name in the published state dict and its place in every flat buffer.
struct parameter_entry {
  char text[128]{};                   // the name, `length` characters
  std::size_t length = 0;             // of the name
  std::size_t offset = 0, count = 0;  // elements
  int rank = 0, extents[4]{};         // its shape, the slowest first
  bool is_matrix = false;             // the right operand of a matrix product
  init how{};                         // how it begins

  constexpr std::string_view name() const { return {text, length}; }  // such as "model.inner.lm_head.weight"
};

/// The names, places, shapes and initialisations of all parameters, as a constant.
template <class Params>
consteval auto parameter_table() {
  constexpr std::size_t n = [] {
    Params p{};
    std::size_t k = 0;
    for_each_parameter(p, [&](std::string_view, auto&, init) { ++k; });
    return k;
  }();
  std::array<parameter_entry, n> table{};
  Params p{};
  std::size_t i = 0, at = 0;
  for_each_parameter(p, [&]<class T>(std::string_view name, T&, init how) {
    parameter_entry& e = table[i++];
    for (char ch : name) e.text[e.length++] = ch;
    e.offset = at;
    e.count = T::count;
    e.rank = static_cast<int>(T::extents.size());
    for (std::size_t d = 0; d < T::extents.size(); ++d) e.extents[d] = T::extents[d];
    e.is_matrix = is_matrix<T>;
    e.how = how;
    at += round_up(T::count, parameter_alignment);
  });
  return table;
}

}  // namespace trm
