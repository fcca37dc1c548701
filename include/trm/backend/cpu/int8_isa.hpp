// SPDX-License-Identifier: MIT
// Instruction sets for products of int8: what this machine has, and which one is used.
#pragma once
#include <atomic>
#include <string>

#include "trm/backend/cpu/amx.hpp"
#include "trm/backend/cpu/isa.hpp"
#include "trm/core/error.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
/// Before a function: it is compiled for this level, whatever the compiler's flags.
#define TRM_TARGET_AVX_VNNI __attribute__((target("avx2,fma,avxvnni")))
/// See TRM_TARGET_AVX_VNNI.
#define TRM_TARGET_AVX512_VNNI __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#endif

namespace trm::cpu {

/// portable: plain C++. avx2: vpmaddwd on halves of words. avx_vnni, avx512_vnni: vpdpbusd, four products of bytes in each lane, in
/// vectors of 32 and 64 bytes. amx: tdpbusd, tiles of 16 x 64 bytes. Sums of integers are exact: all give the same bits.
enum class int8_isa { portable, avx2, avx_vnni, avx512_vnni, amx };
/// All of them, the fastest last.
inline constexpr int8_isa all_int8_isas[] = {int8_isa::portable, int8_isa::avx2, int8_isa::avx_vnni,
                                             int8_isa::avx512_vnni, int8_isa::amx};

/// Its name as written above, for messages and reports.
constexpr const char* name(int8_isa level) {
  constexpr const char* names[] = {"portable", "avx2", "avx_vnni", "avx512_vnni", "amx"};
  return names[static_cast<int>(level)];
}

/// What `current_isa()` must be at least, and what the code around the products is compiled for.
constexpr isa floor_of(int8_isa level) {
  constexpr isa floors[] = {isa::portable, isa::avx2, isa::avx2, isa::avx512, isa::amx};
  return floors[static_cast<int>(level)];
}

/// Do processor and operating system support it? A later one does not imply those before it.
inline bool has_int8(int8_isa level) {
  if (detect_isa() < floor_of(level)) return false;
#if defined(__x86_64__)
  if (level == int8_isa::avx512_vnni) return __builtin_cpu_supports("avx512vnni") != 0;
  if (level == int8_isa::avx_vnni) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & 1u << 4) != 0;
  }
#endif
  return true;
}

/// The best of them.
inline int8_isa detect_int8_isa() {
  int8_isa best = int8_isa::portable;
  for (int8_isa level : all_int8_isas) best = has_int8(level) ? level : best;
  return best;
}

namespace detail {

inline std::atomic<int8_isa>& highest_int8_isa() {
  static std::atomic<int8_isa> level{detect_int8_isa()};
  return level;
}

}  // namespace detail

/// What products of int8 are computed with: the best that the machine has, and that neither `use_isa` nor `use_int8_isa` forbids.
inline int8_isa current_int8_isa() {
  static const bool has[] = {true, has_int8(int8_isa::avx2), has_int8(int8_isa::avx_vnni),
                             has_int8(int8_isa::avx512_vnni), has_int8(int8_isa::amx)};
  const isa base = current_isa();
  int level = static_cast<int>(detail::highest_int8_isa().load(std::memory_order_relaxed));
  while (!has[level] || floor_of(static_cast<int8_isa>(level)) > base) --level;
  return static_cast<int8_isa>(level);
}

/// Products of int8 are computed with `level` from now on, process-wide, as long as `use_isa` allows it; for tests and comparisons.
/// Prepared weights stay valid. Throws trm::error where the machine lacks it.
inline void use_int8_isa(int8_isa level) {
  if (!has_int8(level)) throw error("use_int8_isa", std::string("this machine has no ") + name(level));
  detail::highest_int8_isa().store(level, std::memory_order_relaxed);
}

}  // namespace trm::cpu
