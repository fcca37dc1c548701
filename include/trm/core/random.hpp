// SPDX-License-Identifier: MIT
// Counter-based random numbers: a draw is a pure function of (seed, purpose, step, row, index), so a run does not
// depend on the backend, the number of workers or where it was resumed.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "trm/core/hd.hpp"

namespace trm {

/// What a draw is for. Draws of different purposes are independent; one purpose takes one kind of draw (uniform,
/// below, normal) in one (step, row), because the kinds share the same random bits. The values are part of the format
/// of a checkpoint: append, never renumber.
enum class purpose : std::uint8_t {
  initialisation = 0,      // step: the tensor; index: the element
  exploration_chance = 1,  // whether a sample gets a minimum of steps
  exploration_steps = 2,   // that minimum
  group_order = 3,         // of an epoch
  puzzle_choice = 4,       // of a group
  example_choice = 5,      // of a puzzle
  augmentation = 6,        // of datasets
  noise = 7,               // on states, for rollouts
  generation = 8,          // of puzzles and mazes
  user = 128,              // user, user + 1, ... are left to programs
};

/// Four 32-bit words: a counter of Philox, or what it gives.
struct philox_block {
  std::uint32_t word[4];  // the least significant first
  friend constexpr bool operator==(const philox_block&, const philox_block&) = default;
};

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). `key_low`, `key_high`: the
/// 64-bit key.
TRM_HD constexpr philox_block philox4x32(philox_block c, std::uint32_t key_low, std::uint32_t key_high) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * c.word[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * c.word[2];
    c = {{static_cast<std::uint32_t>(b >> 32) ^ c.word[1] ^ key_low, static_cast<std::uint32_t>(b),
          static_cast<std::uint32_t>(a >> 32) ^ c.word[3] ^ key_high, static_cast<std::uint32_t>(a)}};
    key_low += 0x9E3779B9u;
    key_high += 0xBB67AE85u;
  }
  return c;
}

namespace detail {

/// The upper 64 bits of a * b.
TRM_HD constexpr std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t a0 = a & 0xffffffffu, a1 = a >> 32, b0 = b & 0xffffffffu, b1 = b >> 32;
  const std::uint64_t middle = a1 * b0 + ((a0 * b0) >> 32);  // no overflow: (2^32-1)^2 + 2^32-1 < 2^64
  return a1 * b1 + (middle >> 32) + (((middle & 0xffffffffu) + a0 * b1) >> 32);
}

/// erf(inverse_erf(y)) = y, for |y| < 1: Winitzki's approximation, then three Halley steps, to float64 accuracy for
/// |y| <= 0.96.
TRM_HD inline double inverse_erf(double y) {
  constexpr double a = 0.147, two_over_pi_a = 2.0 / (3.14159265358979323846 * a), two_over_root_pi = 1.1283791670955126;
  const double l = std::log1p(-y * y), h = two_over_pi_a + 0.5 * l;
  double x = std::copysign(std::sqrt(std::sqrt(h * h - l / a) - h), y);
  for (int i = 0; i < 3; ++i) {
    const double t = (std::erf(x) - y) / (two_over_root_pi * std::exp(-x * x));
    x -= t / (1.0 + x * t);
  }
  return x;
}

}  // namespace detail

/// The draws of one (seed, purpose, step, row), numbered by `index`. What `step`, `row` and `index` count is up to
/// the purpose: for initialisation the tensor, 0 and the element; for noise the step, the row of the batch and the
/// element. Requires step < 2^56 and index < 2^33.
struct draws {
  std::uint64_t seed = 0;
  purpose what = purpose::user;  // of the draws
  std::uint64_t step = 0;
  std::uint32_t row = 0;

  /// 128 random bits.
  TRM_HD constexpr philox_block block(std::uint32_t number) const {
    const std::uint32_t upper =
        static_cast<std::uint32_t>(what) << 24 | static_cast<std::uint32_t>(step >> 32 & 0xffffffu);
    return philox4x32({{number, row, static_cast<std::uint32_t>(step), upper}}, static_cast<std::uint32_t>(seed),
                      static_cast<std::uint32_t>(seed >> 32));
  }
  /// 32 random bits; four of them share a block.
  TRM_HD constexpr std::uint32_t bits32(std::uint64_t index) const {
    return block(static_cast<std::uint32_t>(index / 4)).word[index % 4];
  }
  /// 64 random bits; two of them share a block.
  TRM_HD constexpr std::uint64_t bits64(std::uint64_t index) const {
    const philox_block b = block(static_cast<std::uint32_t>(index / 2));
    const std::size_t i = index % 2 * 2;
    return b.word[i] | std::uint64_t{b.word[i + 1]} << 32;
  }
  /// Uniform in [0, 1): a multiple of 2^-24, the same on every backend.
  TRM_HD constexpr float uniform(std::uint64_t index = 0) const {
    return static_cast<float>(bits32(index) >> 8) * 0x1p-24f;
  }
  /// Uniform in [0, 1): a multiple of 2^-53, the same on every backend.
  TRM_HD constexpr double uniform64(std::uint64_t index = 0) const {
    return static_cast<double>(bits64(index) >> 11) * 0x1p-53;
  }
  /// Uniform in {0, ..., n - 1}, n > 0 (Lemire's multiplication; the bias of a value is below n / 2^64).
  TRM_HD constexpr std::uint64_t below(std::uint64_t n, std::uint64_t index = 0) const {
    return detail::multiply_high(bits64(index), n);
  }
  /// Standard normal (Box-Muller). In float64, so that the last bits in which mathematical libraries differ are rarely
  /// seen when the draw is rounded to float32.
  TRM_HD double normal(std::uint64_t index = 0) const {
    const philox_block b = block(static_cast<std::uint32_t>(index / 4));
    const std::size_t i = index % 4 / 2 * 2;
    const double radius = std::sqrt(-2.0 * std::log((b.word[i] + 1.0) * 0x1p-32));
    const double angle = 6.283185307179586477 * 0x1p-32 * b.word[i + 1];
    return radius * (index % 2 == 0 ? std::cos(angle) : std::sin(angle));
  }
  /// Normal cut off at two of its own standard deviations and widened so that the standard deviation of what comes
  /// out is `std` (the published trunc_normal_init_, flax's default): |draw| <= 2.2737 std.
  TRM_HD double truncated_normal(double std = 1.0, std::uint64_t index = 0) const {
    constexpr double mass = 0.95449973610364158;       // erf(2 / sqrt 2)
    constexpr double deviation = 0.87962566103423978;  // of the standard normal cut off at -2 and 2
    const double u = (static_cast<double>(bits64(index) >> 12) + 0.5) * 0x1p-52;  // in (0, 1), symmetric
    return 1.4142135623730951 * detail::inverse_erf(mass * (2.0 * u - 1.0)) * (std / deviation);
  }
};

/// A seed. `philox{seed}.at(purpose::noise, step, row).normal(element)`.
struct philox {
  std::uint64_t seed = 0;
  TRM_HD constexpr draws at(purpose what, std::uint64_t step = 0, std::uint32_t row = 0) const {
    return {seed, what, step, row};
  }
};

/// Fills `out` with 0, 1, ..., out.size() - 1 in random order (Fisher-Yates; every order has the same probability).
template <class T>
constexpr void permutation(const draws& from, std::span<T> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<T>(i);
  for (std::size_t i = out.size(); i > 1; --i) std::swap(out[i - 1], out[from.below(i, i - 1)]);
}

}  // namespace trm
