// SPDX-License-Identifier: MIT
// The puzzle table of a file, read in place.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "trm/core/error.hpp"
#include "trm/io/element_type.hpp"
#include "trm/io/tensor_file.hpp"
#include "trm/optim/puzzle_rows.hpp"

namespace trm {

namespace detail {

/// puzzle_rows::reader of numbers stored as `Type`: up to the first that is not finite.
template <element_type Type, class Master>
std::size_t read_row(const std::byte* from, std::size_t count, Master* to) {
  const std::size_t fits = convert(Type, from, count, to);
  return static_cast<std::size_t>(std::find_if(to, to + fits, [](Master v) { return !std::isfinite(v); }) - to);
}

}  // namespace detail

/// The rows of a stored table [rows, width] of any floating-point type, where they are: a row is converted when it is read, and a number
/// in it that is not finite is found then. `place` names the tensor in messages. The file must outlive the view.
/// Throws where the tensor has another shape, more rows than identifiers can count, or holds integers.
template <class Master>
puzzle_rows<Master> stored_puzzle_rows(const stored_tensor& t, int width, std::string place) {
  if (t.shape.size() != 2 || t.shape[1] != width) {
    throw error(place, "expected shape [rows, " + std::to_string(width) + "], found " + shape_text(t.shape));
  }
  if (!std::in_range<int>(t.shape[0])) {
    throw error(place, "has " + std::to_string(t.shape[0]) + " rows, identifiers count 2^31 - 1 at most");
  }
  const auto view = [&](typename puzzle_rows<Master>::reader read) {
    return puzzle_rows<Master>(t.bytes.data(), static_cast<std::size_t>(t.shape[0]), static_cast<std::size_t>(width),
                               size_of(t.type), read, std::move(place));
  };
  switch (t.type) {
    case element_type::f16:
      return view(detail::read_row<element_type::f16, Master>);
    case element_type::bf16:
      return view(detail::read_row<element_type::bf16, Master>);
    case element_type::f32:
      return view(detail::read_row<element_type::f32, Master>);
    case element_type::f64:
      return view(detail::read_row<element_type::f64, Master>);
    default:
      throw error(place, "expected floating point, found " + std::string(name_of(t.type)));
  }
}

}  // namespace trm
