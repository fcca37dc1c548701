// SPDX-License-Identifier: MIT
// Tensors that are given as a part of a storage: offset, shape and strides, as PyTorch has them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/element_type.hpp"
#include "trm/io/tensor_file.hpp"

namespace trm {

/// What strided_tensor needs besides: `place` names the tensor in messages, `to_copy` bytes may still be copied (they are
/// counted down), into `owned`.
struct strided_context {
  std::string place;
  std::uint64_t& to_copy;
  std::vector<std::vector<std::byte>>& owned;
};

namespace detail {

/// The elements in row-major order. An extent of 1 has step 0.
inline std::vector<std::byte> copy_strided(std::span<const std::byte> storage, std::size_t width, std::uint64_t offset,
                                           std::span<const std::int64_t> shape, std::span<const std::int64_t> steps,
                                           std::uint64_t bytes) {
  std::vector<std::byte> out(static_cast<std::size_t>(bytes));
  std::vector<std::int64_t> index(shape.size(), 0);
  auto at = static_cast<std::int64_t>(offset);
  for (std::size_t to = 0; to < out.size(); to += width) {
    std::memcpy(out.data() + to, storage.data() + static_cast<std::size_t>(at) * width, width);
    for (std::size_t d = shape.size(); d-- > 0;) {
      at += steps[d];
      if (++index[d] < shape[d]) break;
      at -= steps[d] * shape[d];
      index[d] = 0;
    }
  }
  return out;
}

}  // namespace detail

/// The tensor whose element [i, j, ...] is element offset + i * strides[0] + j * strides[1] + ... of the storage: a view of it where
/// they lie one after another, else a copy. Throws where it reaches outside of the storage, or where its elements overlap (a
/// stride of 0), so that the copy would be larger than the storage.
inline stored_tensor strided_tensor(element_type type, std::span<const std::byte> storage, std::uint64_t offset,
                                    std::vector<std::int64_t> shape, const std::vector<std::int64_t>& strides,
                                    strided_context context) {
  const auto fail = [&](const std::string& what) { throw error(context.place, what); };
  if (shape.size() != strides.size()) fail("has another number of strides than of dimensions");
  const std::uint64_t width = size_of(type), available = storage.size() / width;
  std::uint64_t bytes = 0;
  if (!detail::tensor_bytes(type, shape, bytes)) fail("shape " + shape_text(shape) + " overflows");
  stored_tensor t{type, std::move(shape), {}};
  if (bytes == 0) return t;

  bool contiguous = true, fits = offset < available;
  std::uint64_t last = offset, expected = 1;
  std::vector<std::int64_t> steps(strides.size(), 0);
  for (std::size_t d = t.shape.size(); d-- > 0;) {
    const auto extent = static_cast<std::uint64_t>(t.shape[d]), stride = static_cast<std::uint64_t>(strides[d]);
    std::uint64_t reach = 0;
    fits = fits && strides[d] >= 0 && !__builtin_mul_overflow(extent - 1, stride, &reach) &&
           !__builtin_add_overflow(last, reach, &last);
    if (extent > 1) steps[d] = strides[d];
    contiguous = contiguous && (extent == 1 || stride == expected);
    expected *= extent;
  }
  if (!fits || last >= available) {
    fail("shape " + shape_text(t.shape) + " with strides " + shape_text(strides) + " from element " +
         std::to_string(offset) + " lies outside its storage of " + std::to_string(available));
  }
  if (contiguous) {
    t.bytes = storage.subspan(static_cast<std::size_t>(offset * width), static_cast<std::size_t>(bytes));
    return t;
  }
  if (bytes > storage.size() || bytes > context.to_copy) fail("its elements overlap: save it after .contiguous()");
  context.to_copy -= bytes;
  t.bytes = context.owned.emplace_back(detail::copy_strided(storage, width, offset, t.shape, steps, bytes));
  return t;
}

}  // namespace trm
