// SPDX-License-Identifier: MIT
#include "trm/backend/cuda/column_major.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "trm/core/random.hpp"

using namespace trm;
using trm::cuda::factor;
using trm::cuda::detail::column_factor;

namespace {

constexpr int samples = 2;

/// Element (i, j) of what the library multiplies.
double element(const column_factor& f, int b, int i, int j) {
  const std::int64_t row = f.transposed ? j : i, column = f.transposed ? i : j;
  REQUIRE(row < f.rows);
  REQUIRE(column < f.columns);
  return static_cast<const double*>(f.data)[b * f.sample + column * f.leading + row];
}

/// Both factors with rows and with columns contiguous, their rows `gap` elements farther apart than they need to be, against the definition.
void check(int m, int n, int k, int gap, bool a_rows, bool b_rows) {
  const auto make = [&](const std::vector<double>& memory, int rows, int columns, bool by_rows) {
    const std::ptrdiff_t apart = (by_rows ? columns : rows) + gap;
    return by_rows ? factor{memory.data(), apart, 1, 1000} : factor{memory.data(), 1, apart, 1000};
  };
  std::vector<double> a_memory(2000), b_memory(2000);
  const draws from = philox{1}.at(purpose::user);
  for (std::size_t i = 0; i < 2000; ++i) a_memory[i] = from.normal(2 * i), b_memory[i] = from.normal(2 * i + 1);
  const factor a = make(a_memory, m, k, a_rows), b = make(b_memory, k, n, b_rows);
  const column_factor x = cuda::detail::left_factor(b, k, n), y = cuda::detail::right_factor(a, m, k);
  CHECK(x.leading >= x.rows);  // what the library asks for
  CHECK(y.leading >= y.rows);
  for (int s = 0; s < samples; ++s) {
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < n; ++j) {
        double want = 0, got = 0;
        for (int l = 0; l < k; ++l) {
          want += a_memory[static_cast<std::size_t>(s * 1000 + i * a.row + l * a.col)] *
                  b_memory[static_cast<std::size_t>(s * 1000 + l * b.row + j * b.col)];
          got += element(x, s, j, l) * element(y, s, l, i);
        }
        CHECK(got == want);
      }
    }
  }
}

}  // namespace

TEST_CASE("a product by columns is the product by rows, whichever axes are contiguous") {
  for (int gap : {0, 3}) {
    for (bool a_rows : {true, false}) {
      for (bool b_rows : {true, false}) {
        check(5, 7, 6, gap, a_rows, b_rows);
        check(1, 7, 6, gap, a_rows, b_rows);
        check(5, 1, 6, gap, a_rows, b_rows);
        check(5, 7, 1, gap, a_rows, b_rows);
        check(1, 1, 1, gap, a_rows, b_rows);
      }
    }
  }
}
