// SPDX-License-Identifier: MIT
// What every product provider must do, for the test programs of the providers.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "trm/backend/cpu/product_provider.hpp"
#include "trm/core/buffer.hpp"

namespace trm_test {

/// Deterministic values in [-1, 1).
struct numbers {
  std::uint64_t state = 1;
  double operator()() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state >> 40) / static_cast<double>(1 << 23) - 1.0;
  }
};

/// `size` elements between guards that nobody may touch, poisoned where they are outputs.
template <class T>
struct guarded {
  static constexpr std::size_t margin = 64;
  std::vector<T> all;
  explicit guarded(std::size_t size, T fill) : all(size + 2 * margin, T(777.0f)) {
    for (std::size_t i = 0; i < size; ++i) all[margin + i] = fill;
  }
  T* data() { return all.data() + margin; }
  bool intact() const {
    for (std::size_t i = 0; i < margin; ++i) {
      if (all[i] != T(777.0f) || all[all.size() - 1 - i] != T(777.0f)) return false;
    }
    return true;
  }
};

/// A workspace of exactly the bytes asked for, aligned to no more than the 64 bytes promised, filled with NaN.
struct workspace {
  std::vector<std::byte> memory;
  std::byte* begin;
  explicit workspace(std::size_t size) : memory(size + 256, std::byte{0x5a}) {
    const auto at = reinterpret_cast<std::uintptr_t>(memory.data());
    begin = memory.data() + ((at + 127) / 128 * 128 + 64 - at);
    std::memset(begin, 0xff, size);
    end = begin + size;
  }
  std::byte* end;
  void* data() { return begin; }
  bool intact() const {
    for (const std::byte* p = memory.data(); p < begin; ++p) {
      if (*p != std::byte{0x5a}) return false;
    }
    for (const std::byte* p = end; p < memory.data() + memory.size(); ++p) {
      if (*p != std::byte{0x5a}) return false;
    }
    return true;
  }
};

/// How [rows, cols] lies in memory.
enum class order { rows_contiguous, columns_contiguous, padded_rows, padded_columns, spread };
constexpr order all_orders[] = {order::rows_contiguous, order::columns_contiguous, order::padded_rows,
                                order::padded_columns, order::spread};

/// A matrix for each of `batch` samples, in memory that ends where the last element ends.
template <class T>
struct samples {
  std::vector<T> memory;
  std::ptrdiff_t row, col, sample;
  samples(int batch, int rows, int cols, order o, numbers& draw) {
    switch (o) {
      case order::rows_contiguous:
        row = cols, col = 1, sample = std::ptrdiff_t{rows} * cols;
        break;
      case order::columns_contiguous:
        row = 1, col = rows, sample = std::ptrdiff_t{rows} * cols;
        break;
      case order::padded_rows:
        row = cols + 3, col = 1, sample = (rows + 1) * row;
        break;
      case order::padded_columns:
        row = 1, col = rows + 5, sample = (cols + 1) * col;
        break;
      default:
        row = 2, col = 2 * rows + 1, sample = (cols + 1) * col;
        break;
    }
    memory.resize(static_cast<std::size_t>((batch - 1) * sample + (rows - 1) * row + (cols - 1) * col + 1),
                  T(std::numeric_limits<float>::quiet_NaN()));
    for (int b = 0; b < batch; ++b) {
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < cols; ++j) memory[static_cast<std::size_t>(b * sample + i * row + j * col)] = T(draw());
      }
    }
  }
  trm::cpu::strided<const T> view(int b = 0) const { return {memory.data() + b * sample, row, col}; }
};

template <class T>
constexpr double relative_tolerance = std::is_same_v<T, double> ? 1e-13 : 2e-6;

/// tile = a w^T against float64, for a weight in both orders and rows in every order.
template <class P, class T>
void check_multiply(int m, int n, int k, order a_order, bool transposed_weight) {
  using namespace trm::cpu;
  using A = trm::accumulator<T>;
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(static_cast<int>(a_order));
  CAPTURE(transposed_weight);
  numbers draw;
  const samples<T> a(1, m, k, a_order, draw);
  const samples<A> w(1, n, k, transposed_weight ? order::columns_contiguous : order::rows_contiguous, draw);
  workspace prepared(P::template prepared_bytes<T>(n, k)), scratch(P::template multiply_workspace<T>(n, k));
  REQUIRE(P::template multiply_workspace<T>(n, k) % 64 == 0);
  P::template prepare<T, A>(w.view(), n, k, prepared.data());
  const std::ptrdiff_t ld = n + 3;
  guarded<A> tile(static_cast<std::size_t>(m * ld), std::numeric_limits<A>::quiet_NaN());
  P::template multiply<T>(a.view(), m, prepared.data(), n, k, tile.data(), ld, scratch.data());
  CHECK(prepared.intact());
  CHECK(scratch.intact());
  CHECK(tile.intact());
  double worst = 0;
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      double sum = 0, size = 0;
      for (int l = 0; l < k; ++l) {
        const double term = static_cast<double>(a.view()(i, l)) * static_cast<double>(T(w.view()(j, l)));
        sum += term;
        size += std::abs(term);
      }
      const double off = std::abs(static_cast<double>(tile.data()[i * ld + j]) - sum) / size;
      worst = off > worst || std::isnan(off) ? off : worst;
    }
    for (std::ptrdiff_t j = n; j < ld; ++j) CHECK(std::isnan(tile.data()[i * ld + j]));
  }
  CHECK(worst < relative_tolerance<T>);
}

/// g += d^T x against float64; the same bits on one, two and three threads.
template <class P, class T, class G>
void check_accumulate(int batch, int rows, int n, int k, order d_order, order x_order) {
  using namespace trm::cpu;
  CAPTURE(batch);
  CAPTURE(rows);
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(static_cast<int>(d_order));
  CAPTURE(static_cast<int>(x_order));
  numbers draw;
  const samples<T> d(batch, rows, n, d_order, draw), x(batch, rows, k, x_order, draw);
  const std::ptrdiff_t ld = k + 2;
  std::vector<G> first;
  for (int threads : {1, 2, 3}) {
    thread_pool pool(threads);
    workspace scratch(P::template accumulate_workspace<T>(n, k));
    guarded<G> g(static_cast<std::size_t>(n * ld), G(0.5));
    P::template accumulate<T, G>(pool, batch, rows, d.view(), d.sample, n, x.view(), x.sample, k, g.data(), ld,
                                 scratch.data());
    CHECK(scratch.intact());
    CHECK(g.intact());
    if (threads == 1) {
      first = g.all;
    } else {
      CHECK(std::memcmp(first.data(), g.all.data(), first.size() * sizeof(G)) == 0);
    }
  }
  double worst = 0;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < k; ++j) {
      double sum = 0.5, size = 0.5;
      for (int b = 0; b < batch; ++b) {
        for (int r = 0; r < rows; ++r) {
          const double term = static_cast<double>(d.view(b)(r, i)) * static_cast<double>(x.view(b)(r, j));
          sum += term;
          size += std::abs(term);
        }
      }
      const double off =
          std::abs(static_cast<double>(first[guarded<G>::margin + static_cast<std::size_t>(i * ld + j)]) - sum) / size;
      worst = off > worst || std::isnan(off) ? off : worst;
    }
    for (std::ptrdiff_t j = k; j < ld; ++j)
      CHECK(first[guarded<G>::margin + static_cast<std::size_t>(i * ld + j)] == G(0.5));
  }
  CHECK(worst < relative_tolerance<T>);
}

/// A row comes out the same whatever rows are computed with it.
template <class P, class T>
void check_rows_are_independent() {
  using namespace trm::cpu;
  using A = trm::accumulator<T>;
  const int m = P::row_block, n = 45, k = 67;
  numbers draw;
  const samples<T> a(1, m, k, order::rows_contiguous, draw);
  const samples<A> w(1, n, k, order::rows_contiguous, draw);
  workspace prepared(P::template prepared_bytes<T>(n, k)), scratch(P::template multiply_workspace<T>(n, k));
  P::template prepare<T, A>(w.view(), n, k, prepared.data());
  std::vector<A> all(static_cast<std::size_t>(m * n)), one(static_cast<std::size_t>(n));
  P::template multiply<T>(a.view(), m, prepared.data(), n, k, all.data(), n, scratch.data());
  for (int i = 0; i < m; ++i) {
    P::template multiply<T>({a.memory.data() + i * a.row, a.row, a.col}, 1, prepared.data(), n, k, one.data(), n,
                            scratch.data());
    CHECK(std::memcmp(one.data(), &all[static_cast<std::size_t>(i * n)], sizeof(A) * static_cast<std::size_t>(n)) == 0);
  }
}

/// Float32 and double masters give the same prepared weight where the values are the same.
template <class P, class T>
void check_masters() {
  const int n = 37, k = 51;
  numbers draw;
  const samples<float> w(1, n, k, order::rows_contiguous, draw);
  const std::vector<double> wide(w.memory.begin(), w.memory.end());
  workspace from_float(P::template prepared_bytes<T>(n, k)), from_double(P::template prepared_bytes<T>(n, k));
  workspace scratch(P::template multiply_workspace<T>(n, k));
  P::template prepare<T, float>(w.view(), n, k, from_float.data());
  P::template prepare<T, double>({wide.data(), k, 1}, n, k, from_double.data());
  std::vector<trm::accumulator<T>> a(static_cast<std::size_t>(n)), b(static_cast<std::size_t>(n));
  const samples<T> x(1, 1, k, order::rows_contiguous, draw);
  P::template multiply<T>(x.view(), 1, from_float.data(), n, k, a.data(), n, scratch.data());
  P::template multiply<T>(x.view(), 1, from_double.data(), n, k, b.data(), n, scratch.data());
  CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(a[0])) == 0);
}

template <class P, class T>
void check_provider() {
  using A = trm::accumulator<T>;
  const int block = P::row_block;
  for (order o : all_orders) {
    for (bool transposed : {false, true}) {
      check_multiply<P, T>(block, 33, 64, o, transposed);
      check_multiply<P, T>(block < 13 ? block : 13, 97, 35, o, transposed);
      check_multiply<P, T>(5, 12, 17, o, transposed);
    }
  }
  for (int m = 1; m <= block; ++m)
    check_multiply<P, T>(m, 50, 19, m % 2 != 0 ? order::rows_contiguous : order::columns_contiguous, false);
  for (int n = 1; n <= 70; ++n) check_multiply<P, T>(3, n, 16 + n % 5, order::rows_contiguous, n % 2 != 0);
  check_multiply<P, T>(1, 2, 512, order::rows_contiguous, false);
  check_multiply<P, T>(7, 3, 1, order::rows_contiguous, false);
  check_multiply<P, T>(block, 40, 1536, order::columns_contiguous, true);

  for (order o : all_orders) {
    for (order p : all_orders) check_accumulate<P, T, A>(3, 21, 35, 41, o, p);
  }
  check_accumulate<P, T, double>(2, 9, 30, 33, order::rows_contiguous, order::rows_contiguous);
  check_accumulate<P, T, A>(1, 1, 1, 1, order::rows_contiguous, order::rows_contiguous);
  check_accumulate<P, T, A>(2, 33, 2, 64, order::rows_contiguous, order::rows_contiguous);
  check_accumulate<P, T, A>(8, 97, 12, 48, order::rows_contiguous, order::padded_rows);
  check_accumulate<P, T, A>(3, 1, 48, 12, order::rows_contiguous, order::columns_contiguous);
  check_accumulate<P, T, A>(5, 333, 17, 130, order::columns_contiguous, order::columns_contiguous);
  check_masters<P, T>();
}

}  // namespace trm_test
