// SPDX-License-Identifier: MIT
// Memory of activations described by aggregates of views: byte offsets are constexpr per sample, times the batch at run time.
#pragma once
#include <algorithm>
#include <cstddef>

#include "trm/core/tensor.hpp"
#include "trm/core/view.hpp"

namespace trm {

/// Every view begins on such a boundary, in bytes.
inline constexpr std::size_t alignment = 256;

/// The least multiple of `multiple` that is not below n.
constexpr std::size_t round_up(std::size_t n, std::size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// Visits an aggregate (`fields(f)` calls `f(name, member)`) and gives each view its place: `offset * samples` bytes
/// from `base`. Without a base it only measures.
struct activation_layout {
  std::byte* base = nullptr;
  std::size_t samples = 0;  // capacity in samples
  std::size_t offset = 0;   // bytes per sample so far

  /// Gives the member, and all that it nests, the next places.
  template <class Member>
  constexpr void operator()(const char*, Member& m) {
    if constexpr (is_view<Member>) {
      if (base != nullptr) m.data = reinterpret_cast<typename Member::value_type*>(base + offset * samples);
      offset += round_up(Member::bytes, alignment);
    } else if constexpr (is_array<Member>) {
      for (auto& e : m) (*this)("", e);
    } else {
      m.fields(*this);
    }
  }
  /// Members that are not alive at the same time share their place.
  template <class... Members>
  constexpr void overlay(Members&... m) {
    [[maybe_unused]] const std::size_t start = offset;  // unused where there are no members
    std::size_t end = offset;
    ((offset = start, (*this)("", m), end = std::max(end, offset)), ...);
    offset = end;
  }
};

/// Bytes that one sample of the aggregate takes.
template <class Aggregate>
constexpr std::size_t sample_bytes() {
  Aggregate a{};
  activation_layout l;
  l("", a);
  return l.offset;
}

/// The aggregate with its views in place. `base` must be aligned to `alignment` and hold samples * sample_bytes.
template <class Aggregate>
Aggregate bind_activations(std::byte* base, std::size_t samples) {
  Aggregate a{};
  activation_layout l{base, samples, 0};
  l("", a);
  return a;
}

}  // namespace trm
