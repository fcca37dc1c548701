// SPDX-License-Identifier: MIT
// bfloat16 as a storage type: arithmetic is done in float32.
#pragma once
#include <cstdint>

#include "trm/core/hd.hpp"

namespace trm {

/// The upper 16 bits of a float32. Conversion from float rounds to nearest, ties to even; NaN stays NaN.
struct bf16 {
  std::uint16_t bits = 0;

  bf16() = default;
  /// Rounds to nearest, ties to even; a double by way of float.
  TRM_HD constexpr explicit bf16(float f) : bits(round(f)) {}
  TRM_HD constexpr explicit bf16(double f) : bf16(static_cast<float>(f)) {}
  /// exact
  TRM_HD constexpr operator float() const { return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16); }

  /// The number that these 16 bits stand for.
  TRM_HD static constexpr bf16 from_bits(std::uint16_t b) {
    bf16 v;
    v.bits = b;
    return v;
  }

 private:
  TRM_HD static constexpr std::uint16_t round(float f) {
    const auto u = __builtin_bit_cast(std::uint32_t, f);
    if ((u & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((u >> 16) | 0x40u);  // a quiet NaN
    return static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
};

}  // namespace trm
