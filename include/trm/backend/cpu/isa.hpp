// SPDX-License-Identifier: MIT
// Instruction sets: what this machine has, and one body of code compiled for each of them without compiler flags.
#pragma once
#include <atomic>
#include <string>
#include <type_traits>

#include "trm/backend/cpu/amx.hpp"
#include "trm/core/error.hpp"

/// For every function and lambda on the way from `for_isa` to vector code: it then belongs to the function that was
/// compiled for the instruction set. On a lambda it stands before the body: `[&](auto level) TRM_INLINE { ... }`.
#define TRM_INLINE __attribute__((always_inline))

/// Before a loop of constant length over arrays that are to be registers.
#if defined(__clang__)
#define TRM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define TRM_UNROLL _Pragma("GCC unroll 16")
#endif

#if defined(__x86_64__)
/// Before a function: it is compiled for this level, whatever the compiler's flags.
#define TRM_TARGET_AVX2 __attribute__((target("avx2,fma")))
/// See TRM_TARGET_AVX2.
#define TRM_TARGET_AVX512 __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")))
/// See TRM_TARGET_AVX2.
#define TRM_TARGET_AVX512_BF16 __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#endif

namespace trm::cpu {

/// Each contains the ones before it. portable: vectors of 16 bytes, which every processor has or the compiler takes apart. avx2: AVX2
/// and FMA. avx512: AVX-512 F, BW, DQ, VL. avx512_bf16: pairs of bf16 multiplied (vdpbf16ps). amx: products by tiles (amx.hpp);
/// all else is computed as in avx512_bf16.
enum class isa { portable, avx2, avx512, avx512_bf16, amx };
/// All of them, in their order.
inline constexpr isa all_isas[] = {isa::portable, isa::avx2, isa::avx512, isa::avx512_bf16, isa::amx};

/// Its name as written above, for messages and reports.
constexpr const char* name(isa level) {
  constexpr const char* names[] = {"portable", "avx2", "avx512", "avx512_bf16", "amx"};
  return names[static_cast<int>(level)];
}

/// The best that processor and operating system support.
inline isa detect_isa() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return isa::portable;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
    return isa::avx2;
  }
  if (!__builtin_cpu_supports("avx512bf16")) return isa::avx512;
  return amx::available() ? isa::amx : isa::avx512_bf16;
#else
  return isa::portable;
#endif
}

namespace detail {
inline std::atomic<isa>& chosen_isa() {
  static std::atomic<isa> level{detect_isa()};
  return level;
}
/// Rounds the processor to bf16 by an instruction? Asked for every vector that is stored, so it is a variable.
inline bool rounds_to_bf16 = detect_isa() >= isa::avx512_bf16;
}  // namespace detail

/// What this process computes with: `detect_isa()` unless `use_isa` said otherwise.
inline isa current_isa() { return detail::chosen_isa().load(std::memory_order_relaxed); }

/// Computes with `level` from now on, process-wide; for tests and comparisons, between calls of kernels. Weights are
/// prepared again after it (weights_changed()): float32 has another form for tiles. Throws trm::error where the machine lacks it.
inline void use_isa(isa level) {
  if (level > detect_isa()) throw error("use_isa", std::string("this machine has no ") + name(level));
  detail::chosen_isa().store(level, std::memory_order_relaxed);
  detail::rounds_to_bf16 = level >= isa::avx512_bf16;
}

/// What a body of code knows at compile time about the instruction set that it is compiled for.
template <isa Level>
struct isa_level {
  /// The level itself.
  static constexpr isa value = Level;
  /// float32 lanes of a vector register.
  static constexpr int lanes = Level == isa::portable ? 4 : Level == isa::avx2 ? 8 : 16;
  /// Has vdpbf16ps: pairs of bf16 multiplied and added to float32.
  static constexpr bool bf16_products = Level == isa::avx512_bf16;
};

namespace detail {
template <isa Level, class F>
struct compiled_for {
  static void call(F& f) { f(isa_level<Level>{}); }
};
#if defined(__x86_64__)
template <class F>
struct compiled_for<isa::avx2, F> {
  TRM_TARGET_AVX2 static void call(F& f) { f(isa_level<isa::avx2>{}); }
};
template <class F>
struct compiled_for<isa::avx512, F> {
  TRM_TARGET_AVX512 static void call(F& f) { f(isa_level<isa::avx512>{}); }
};
template <class F>
struct compiled_for<isa::avx512_bf16, F> {
  TRM_TARGET_AVX512_BF16 static void call(F& f) { f(isa_level<isa::avx512_bf16>{}); }
};
#endif
}  // namespace detail

/// f(isa_level<Level>{}) in a function compiled for Level. `f` and whatever it calls with vectors must be TRM_INLINE.
template <isa Level, class F>
inline void with_isa(F&& f) {
  detail::compiled_for<Level, std::remove_reference_t<F>>::call(f);
}

/// f(isa_level) for a level known at run time, itself not compiled for it: for code that calls what is. Whoever multiplies by tiles
/// asks for isa::amx before; here it is avx512_bf16.
template <class F>
inline void at_level(isa level, F&& f) {
  switch (level) {
#if defined(__x86_64__)
    case isa::amx:
    case isa::avx512_bf16:
      return f(isa_level<isa::avx512_bf16>{});
    case isa::avx512:
      return f(isa_level<isa::avx512>{});
    case isa::avx2:
      return f(isa_level<isa::avx2>{});
#endif
    default:
      return f(isa_level<isa::portable>{});
  }
}

/// `with_isa` for a level known at run time:
///   for_isa(current_isa(), [&](auto level) TRM_INLINE { constexpr int n = level.lanes; ... });
template <class F>
inline void for_isa(isa level, F&& f) {
  at_level(level, [&](auto l) { with_isa<l.value>(f); });
}

}  // namespace trm::cpu
