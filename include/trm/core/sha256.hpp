// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4): the digest that names a grid, a puzzle or a file; with SHA extensions where the processor has them.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#if defined(__x86_64__) && !defined(__CUDACC__)
/// 1 where the SHA extensions can be compiled; whether the processor has them is asked when it runs.
#define TRM_HAS_SHA_NI 1
#include <cpuid.h>
#else
#define TRM_HAS_SHA_NI 0
#endif

namespace trm {

/// 32 bytes, in the order in which the hexadecimal form prints them.
using sha256_digest = std::array<std::uint8_t, 32>;

namespace detail {

inline constexpr std::array<std::uint32_t, 64> sha256_k = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

using sha256_state = std::array<std::uint32_t, 8>;
/// Compresses `blocks` blocks of 64 bytes, one after the other, into the state.
using sha256_compression = void (*)(sha256_state& state, const std::uint8_t* bytes, std::size_t blocks);

inline void sha256_portable_block(sha256_state& state, const std::uint8_t* block) {
  std::array<std::uint32_t, 64> w;
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = std::uint32_t{block[4 * i]} << 24 | std::uint32_t{block[4 * i + 1]} << 16 |
           std::uint32_t{block[4 * i + 2]} << 8 | std::uint32_t{block[4 * i + 3]};
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t t1 =
        h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) + sha256_k[i] + w[i];
    const std::uint32_t t2 = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const std::array<std::uint32_t, 8> round = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) state[i] += round[i];
}

inline void sha256_portable(sha256_state& state, const std::uint8_t* bytes, std::size_t blocks) {
  for (; blocks > 0; --blocks, bytes += 64) sha256_portable_block(state, bytes);
}

#if TRM_HAS_SHA_NI
/// The same with the processor's SHA extensions: four rounds' words in a register, the state as ABEF and CDGH (lowest
/// word last). The compilers' vectors, because <immintrin.h> is as long as everything else that is included here.
__attribute__((target("sha,sse4.1,ssse3"))) inline void sha256_sha_ni(sha256_state& state, const std::uint8_t* bytes,
                                                                      std::size_t blocks) {
  using words = std::uint32_t __attribute__((vector_size(16)));
  using octets = std::uint8_t __attribute__((vector_size(16)));
  using signed_words = int __attribute__((vector_size(16)));  // what the instructions are declared with
  words abcd, efgh;
  std::memcpy(&abcd, state.data(), 16);
  std::memcpy(&efgh, &state[4], 16);
  auto abef = reinterpret_cast<signed_words>(__builtin_shufflevector(efgh, abcd, 1, 0, 5, 4));
  auto cdgh = reinterpret_cast<signed_words>(__builtin_shufflevector(efgh, abcd, 3, 2, 7, 6));
  for (; blocks > 0; --blocks, bytes += 64) {
    const words abef_before = reinterpret_cast<words>(abef), cdgh_before = reinterpret_cast<words>(cdgh);
    words w[4];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i) {
      words& now = w[i % 4];
      if (i < 4) {
        octets little;
        std::memcpy(&little, bytes + 16 * i, 16);
        now = reinterpret_cast<words>(
            __builtin_shufflevector(little, little, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
      } else {
        const words last = w[(i + 3) % 4];
        const auto s0 = __builtin_ia32_sha256msg1(reinterpret_cast<signed_words>(now),
                                                  reinterpret_cast<signed_words>(w[(i + 1) % 4]));
        const words sum = reinterpret_cast<words>(s0) + __builtin_shufflevector(w[(i + 2) % 4], last, 1, 2, 3, 4);
        now = reinterpret_cast<words>(
            __builtin_ia32_sha256msg2(reinterpret_cast<signed_words>(sum), reinterpret_cast<signed_words>(last)));
      }
      words k;
      std::memcpy(&k, &sha256_k[4 * i], 16);
      const auto sum = reinterpret_cast<signed_words>(now + k);
      cdgh = __builtin_ia32_sha256rnds2(cdgh, abef, sum);
      abef = __builtin_ia32_sha256rnds2(abef, cdgh, __builtin_shufflevector(sum, sum, 2, 3, 0, 0));
    }
    abef = reinterpret_cast<signed_words>(reinterpret_cast<words>(abef) + abef_before);
    cdgh = reinterpret_cast<signed_words>(reinterpret_cast<words>(cdgh) + cdgh_before);
  }
  abcd = reinterpret_cast<words>(__builtin_shufflevector(abef, cdgh, 3, 2, 7, 6));
  efgh = reinterpret_cast<words>(__builtin_shufflevector(abef, cdgh, 1, 0, 5, 4));
  std::memcpy(state.data(), &abcd, 16);
  std::memcpy(&state[4], &efgh, 16);
}
#endif

/// Has the processor SHA extensions (and what else sha256_sha_ni uses)? __builtin_cpu_supports does not know them
/// everywhere.
inline bool has_sha_ni() {
#if TRM_HAS_SHA_NI
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSSE3) == 0 || (c & bit_SSE4_1) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & 1u << 29) != 0;
#else
  return false;
#endif
}

/// What this machine is quickest with.
inline sha256_compression best_sha256() {
#if TRM_HAS_SHA_NI
  static const sha256_compression best = has_sha_ni() ? sha256_sha_ni : sha256_portable;
  return best;
#else
  return sha256_portable;
#endif
}

}  // namespace detail

/// Incremental SHA-256: `update` any number of times, then `finish` once.
class sha256 {
 public:
  /// Begins a digest; `compress` is the fastest that this processor can do.
  explicit sha256(detail::sha256_compression compress = detail::best_sha256()) : compress_(compress) {}

  /// Appends bytes to what is hashed.
  void update(std::span<const std::uint8_t> bytes) {
    length_ += bytes.size();
    if (filled_ > 0) {
      const std::size_t n = std::min(bytes.size(), block_.size() - filled_);
      if (n > 0) std::memcpy(block_.data() + filled_, bytes.data(), n);
      filled_ += n;
      bytes = bytes.subspan(n);
      if (filled_ < block_.size()) return;
      compress_(state_, block_.data(), 1);
      filled_ = 0;
    }
    if (const std::size_t blocks = bytes.size() / block_.size(); blocks > 0) {
      compress_(state_, bytes.data(), blocks);
      bytes = bytes.subspan(blocks * block_.size());
    }
    if (!bytes.empty()) std::memcpy(block_.data(), bytes.data(), bytes.size());
    filled_ = bytes.size();
  }
  void update(std::string_view text) { update({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}); }

  /// The digest of everything given so far. The object is spent afterwards.
  sha256_digest finish() {
    const std::uint64_t bits = length_ * 8;
    std::array<std::uint8_t, 72> tail{0x80};
    const std::size_t zeros = (filled_ < 56 ? 56 : 120) - filled_;  // so that 8 bytes of length end a block
    for (std::size_t i = 0; i < 8; ++i) tail[zeros + i] = static_cast<std::uint8_t>(bits >> (56 - 8 * i));
    update(std::span(tail).first(zeros + 8));
    sha256_digest digest;
    for (std::size_t i = 0; i < digest.size(); ++i) {
      digest[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
    }
    return digest;
  }

 private:
  detail::sha256_compression compress_;
  detail::sha256_state state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> block_{};
  std::size_t filled_ = 0;
  std::uint64_t length_ = 0;
};

/// 64 lower-case hexadecimal digits.
inline std::string to_hex(const sha256_digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace trm
