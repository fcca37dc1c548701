// SPDX-License-Identifier: MIT
// Tiles of the processor (Intel AMX): may they be used, their configuration, and the product of two of them.
//
// A tile is 16 rows of 64 bytes. With bf16, c[16][16] += a[16][32] b[32][16] is one instruction of 16 cycles: a has its rows as they
// are, b its rows in pairs, word (u, j) = b(2u, j) below b(2u + 1, j), as `pack_strip` with word_kind::pair writes them.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#define TRM_TARGET_AMX \
  __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,amx-tile,amx-bf16,amx-int8")))
#endif

namespace trm::cpu::amx {

inline constexpr int rows = 16;       // of a tile
inline constexpr int row_bytes = 64;  // of a tile: 32 bf16, 16 float32 or words
inline constexpr int depth = 32;      // elements of the reduction in one product of bf16

/// Has the processor tiles with products of bf16 and of int8, does the operating system save them, and does it let this process use
/// them? Asks for the permission, which is for all threads, the first time it is called.
inline bool available() {
#if defined(TRM_TARGET_AMX)
  static const bool yes = [] {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    constexpr unsigned needed = 1u << 22 | 1u << 24 | 1u << 25;  // amx-bf16, amx-tile, amx-int8
    if ((d & needed) != needed) return false;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & 1u << 27) == 0) return false;  // osxsave
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    constexpr unsigned tile_state = 1u << 17 | 1u << 18;
    if ((low & tile_state) != tile_state) return false;
    constexpr long request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return syscall(SYS_arch_prctl, request, tile_data) == 0;
  }();
  return yes;
#else
  return false;
#endif
}

#if defined(TRM_TARGET_AMX)

namespace detail {

struct alignas(64) tile_configuration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
  constexpr tile_configuration() {
    for (int t = 0; t < 8; ++t) row_bytes[t] = amx::row_bytes, rows[t] = amx::rows;
  }
  /// For `multiply`: the last of its row tiles has so many rows, the last of its column tiles so many columns.
  constexpr tile_configuration(bool two_rows, int last_rows, bool two_columns, int last_columns)
      : tile_configuration() {
    for (const int t : two_rows ? std::array{2, 3, 5} : std::array{0, 1, 4})
      rows[t] = static_cast<std::uint8_t>(last_rows);
    for (const int t : two_columns ? std::array{1, 3, 7} : std::array{0, 2, 6})
      row_bytes[t] = static_cast<std::uint16_t>(4 * last_columns);
  }
};
// In memory as a whole: g++ takes the instruction to read its first bytes alone, and leaves out what writes the others.
inline constexpr tile_configuration whole_tiles;

}  // namespace detail

/// The processor's tiles, for this thread, as long as this lives: at first all eight with 16 rows of 64 bytes, and zero.
class tile_scope {
 public:
  /// Loads the configuration; the destructor releases it.
  TRM_TARGET_AMX tile_scope() { _tile_loadconfig(&detail::whole_tiles); }
  TRM_TARGET_AMX ~tile_scope() { _tile_release(); }
  tile_scope(const tile_scope&) = delete;
  tile_scope& operator=(const tile_scope&) = delete;

  /// `multiply` now computes sums of m rows and n columns, 1 to 32, and touches no others. What tiles held is gone where that changes.
  TRM_TARGET_AMX void shape(int m, int n) {
    const int wanted = (m % 16 == 0 ? 0 : m) * 64 + (n % 16 == 0 ? 0 : n);
    if (wanted == shape_) return;
    shape_ = wanted;
    const detail::tile_configuration c(m > 16, (m - 1) % 16 + 1, n > 16, (n - 1) % 16 + 1);
    __asm__ volatile("" : : "r"(&c) : "memory");
    _tile_loadconfig(&c);
  }

 private:
  int shape_ = 0;  // 0: whole tiles
};

/// An operand of `multiply`: tile (i, u), of 16 rows or columns i and the u-th step of the reduction, begins at
/// data + i * next + u * step, its rows are `row` bytes apart. Of numbers in terms (split_packing.hpp) each has such tiles, `term` apart.
struct operand {
  const void* data;
  std::ptrdiff_t next, step, row, term = 0;

  /// Where tile (i, u) begins.
  const char* tile(int i, std::ptrdiff_t u) const { return static_cast<const char*>(data) + i * next + u * step; }
};

/// What is fetched into a second-level cache meanwhile: so many lines of 64 bytes with each step. It may end anywhere.
struct prefetch {
  /// The first line.
  const char* from = nullptr;
  int lines = 0;  ///< with each step
};

namespace detail {

// Tiles 0 to 3 are sums: (0, 0), (0, 1), (1, 0), (1, 1). 4 and 5 are rows, 6 and 7 columns.

template <int Rows>
TRM_TARGET_AMX inline void load_rows(const char* at, const operand& a) {
  _tile_loadd(4, at, static_cast<std::size_t>(a.row));
  if constexpr (Rows == 2) _tile_loadd(5, at + a.next, static_cast<std::size_t>(a.row));
}
template <int Columns>
TRM_TARGET_AMX inline void load_columns(const char* at, const operand& b) {
  _tile_loadd(6, at, static_cast<std::size_t>(b.row));
  if constexpr (Columns == 2) _tile_loadd(7, at + b.next, static_cast<std::size_t>(b.row));
}
template <int Rows, int Columns>
TRM_TARGET_AMX inline void add_products() {
  _tile_dpbf16ps(0, 4, 6);
  if constexpr (Columns == 2) _tile_dpbf16ps(1, 4, 7);
  if constexpr (Rows == 2) _tile_dpbf16ps(2, 5, 6);
  if constexpr (Rows == 2 && Columns == 2) _tile_dpbf16ps(3, 5, 7);
}

}  // namespace detail

/// c[i * ldc + j] (+)= sum over `steps` tiles of a and b, with 16 * Rows rows and 16 * Columns columns of float32, Rows and Columns 1
/// or 2; numbers of one term, or of three: the six products of terms s and t with s + t <= 2. With `proceed` the sums begin with c,
/// otherwise with zero. Needs a tile_scope, whose shape may leave out rows and columns at the end.
template <int Terms, int Rows, int Columns>
TRM_TARGET_AMX inline void multiply(const operand& a, const operand& b, int steps, float* c, std::ptrdiff_t ldc,
                                    bool proceed, prefetch ahead = {}) {
  static_assert((Terms == 1 || Terms == 3) && (Rows == 1 || Rows == 2) && (Columns == 1 || Columns == 2));
  __asm__ volatile("" ::: "memory");  // g++ does not know that tiles are read from memory and written there
  const auto bytes = static_cast<std::size_t>(ldc) * 4;
  float* c1 = c + 16 * ldc;
  if (proceed) {
    _tile_loadd(0, c, bytes);
    if constexpr (Columns == 2) _tile_loadd(1, c + 16, bytes);
    if constexpr (Rows == 2) _tile_loadd(2, c1, bytes);
    if constexpr (Rows == 2 && Columns == 2) _tile_loadd(3, c1 + 16, bytes);
  } else {
    _tile_zero(0);
    if constexpr (Columns == 2) _tile_zero(1);
    if constexpr (Rows == 2) _tile_zero(2);
    if constexpr (Rows == 2 && Columns == 2) _tile_zero(3);
  }
  const char *a_at = a.tile(0, 0), *b_at = b.tile(0, 0);
  for (int u = 0; u < steps; ++u, a_at += a.step, b_at += b.step) {
    const auto rows_of = [&](int term) { return a_at + term * a.term; };
    const auto columns_of = [&](int term) { return b_at + term * b.term; };
    detail::load_rows<Rows>(rows_of(Terms - 1), a);
    detail::load_columns<Columns>(columns_of(0), b);
    detail::add_products<Rows, Columns>();
    for (int line = 0; line < ahead.lines; ++line, ahead.from += 64) _mm_prefetch(ahead.from, _MM_HINT_T1);
    if constexpr (Terms == 3) {  // in an order in which one operand stays
      detail::load_rows<Rows>(rows_of(1), a);
      detail::add_products<Rows, Columns>();
      detail::load_columns<Columns>(columns_of(1), b);
      detail::add_products<Rows, Columns>();
      detail::load_rows<Rows>(rows_of(0), a);
      detail::add_products<Rows, Columns>();
      detail::load_columns<Columns>(columns_of(2), b);
      detail::add_products<Rows, Columns>();
      detail::load_columns<Columns>(columns_of(0), b);
      detail::add_products<Rows, Columns>();
    }
  }
  _tile_stored(0, c, bytes);
  if constexpr (Columns == 2) _tile_stored(1, c + 16, bytes);
  if constexpr (Rows == 2) _tile_stored(2, c1, bytes);
  if constexpr (Rows == 2 && Columns == 2) _tile_stored(3, c1 + 16, bytes);
  __asm__ volatile("" ::: "memory");
}

#endif

}  // namespace trm::cpu::amx
