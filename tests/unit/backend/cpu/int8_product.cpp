// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/int8_product.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "product_cases.hpp"

using namespace trm::cpu;
using trm_test::numbers;
using trm_test::order;

namespace {

constexpr float no_number = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

/// f() with each instruction set of this machine.
template <class F>
void at_each_level(F f) {
  for (int8_isa level : all_int8_isas) {
    if (!has_int8(level)) continue;
    const std::string level_name = name(level);
    CAPTURE(level_name);
    use_int8_isa(level);
    CHECK(current_int8_isa() == level);
    f();
  }
  use_int8_isa(detect_int8_isa());
}

/// a w^T as [m, n], with whatever is touched that must not be.
template <class T>
std::vector<float> product(const trm_test::samples<T>& a, const trm_test::samples<float>& w, int m, int n, int k) {
  trm_test::workspace prepared(int8_product::prepared_bytes<T>(n, k)),
      scratch(int8_product::multiply_workspace<T>(n, k));
  int8_product::prepare<T, float>(w.view(), n, k, prepared.data());
  const int ld = n + 3;
  trm_test::guarded<float> tile(static_cast<std::size_t>(m * ld), -5);
  int8_product::multiply<T>(a.view(), m, prepared.data(), n, k, tile.data(), ld, scratch.data());
  CHECK(prepared.intact());
  CHECK(scratch.intact());
  CHECK(tile.intact());
  std::vector<float> v;
  for (int i = 0; i < m; ++i) {
    v.insert(v.end(), tile.data() + i * ld, tile.data() + i * ld + n);
    for (int j = n; j < ld; ++j) CHECK(tile.data()[i * ld + j] == -5);
  }
  return v;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Makes every row of [rows, cols] integers to 127, times a power of two of its own.
template <class T>
void quantise_exactly(trm_test::samples<T>& s, int rows, int cols) {
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) {
      T& x = s.memory[static_cast<std::size_t>(i * s.row + j * s.col)];
      const double q = j == (7 * i) % cols ? (i % 2 != 0 ? 127 : -127) : std::round(127 * static_cast<double>(x));
      x = T(static_cast<float>(std::ldexp(q, i % 9 - 6)));
    }
  }
}

template <class T>
void check_exact(int m, int n, int k, order o, bool transposed_weight) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(static_cast<int>(o));
  numbers draw;
  trm_test::samples<T> a(1, m, k, o, draw);
  trm_test::samples<float> w(1, n, k, transposed_weight ? order::columns_contiguous : order::rows_contiguous, draw);
  quantise_exactly(a, m, k);
  quantise_exactly(w, n, k);
  const auto v = product(a, w, m, n, k);
  int wrong = 0;
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      double sum = 0;
      for (int l = 0; l < k; ++l) sum += static_cast<double>(a.view()(i, l)) * static_cast<double>(w.view()(j, l));
      wrong += static_cast<double>(v[static_cast<std::size_t>(i * n + j)]) != sum;
    }
  }
  CHECK(wrong == 0);
}

/// a and w with what their quantisation has to survive.
struct odd_values {
  static constexpr int m = 37, n = 35, k = 70;
  numbers draw;
  trm_test::samples<float> a{1, m, k, order::rows_contiguous, draw}, w{1, n, k, order::rows_contiguous, draw};
  float& row(int i, int l) { return a.memory[static_cast<std::size_t>(i * k + l)]; }
  float& output(int j, int l) { return w.memory[static_cast<std::size_t>(j * k + l)]; }
  float at(const std::vector<float>& v, int i, int j) const { return v[static_cast<std::size_t>(i * n + j)]; }
};

}  // namespace

TEST_CASE_TEMPLATE("products of numbers that int8 holds are exact, whatever their order in memory", T, float,
                   trm::bf16) {
  at_each_level([] {
    for (order o : trm_test::all_orders) {
      for (bool transposed : {false, true}) {
        check_exact<T>(int8_product::row_block, 33, 64, o, transposed);
        check_exact<T>(13, 97, 35, o, transposed);
        check_exact<T>(5, 12, 17, o, transposed);
      }
    }
    for (int m = 1; m <= int8_product::row_block; ++m)
      check_exact<T>(m, 50, 19, m % 2 != 0 ? order::rows_contiguous : order::columns_contiguous, false);
    for (int n = 1; n <= 70; ++n) check_exact<T>(3, n, 60 + n % 9, order::rows_contiguous, n % 2 != 0);
    check_exact<T>(1, 2, 512, order::rows_contiguous, false);
    check_exact<T>(7, 3, 1, order::rows_contiguous, false);
    check_exact<T>(17, 40, 1001, order::columns_contiguous, true);
  });
}

TEST_CASE_TEMPLATE("every instruction set gives the same bits", T, float, trm::bf16) {
  for (order o : {order::rows_contiguous, order::columns_contiguous}) {
    for (int k : {97, 515, 1536}) {
      const int m = 61, n = 90;
      numbers draw;
      const trm_test::samples<T> a(1, m, k, o, draw);
      const trm_test::samples<float> w(1, n, k, order::rows_contiguous, draw);
      use_int8_isa(int8_isa::portable);
      const auto expected = product(a, w, m, n, k);
      at_each_level([&] { CHECK(same_bits(product(a, w, m, n, k), expected)); });
    }
  }
}

TEST_CASE_TEMPLATE("the error is at most what rounding each factor to half a scale can make", T, float, trm::bf16) {
  const int m = 20, n = 40, k = 200;
  numbers draw;
  const trm_test::samples<T> a(1, m, k, order::rows_contiguous, draw);
  const trm_test::samples<float> w(1, n, k, order::rows_contiguous, draw);
  const auto v = product(a, w, m, n, k);
  const auto scale = [&](const auto& view, int i) {
    double most = 0;
    for (int l = 0; l < k; ++l) most = std::max(most, std::abs(static_cast<double>(view(i, l))));
    return most / 127;
  };
  double worst = 0, error = 0, power = 0;
  for (int i = 0; i < m; ++i) {
    const double s = scale(a.view(), i);
    for (int j = 0; j < n; ++j) {
      const double t = scale(w.view(), j);
      double sum = 0, bound = 0;
      for (int l = 0; l < k; ++l) {
        const double x = static_cast<double>(a.view()(i, l)), y = static_cast<double>(w.view()(j, l));
        sum += x * y;
        bound += std::abs(x) * t / 2 + std::abs(y) * s / 2 + s * t / 4;
      }
      const double off = std::abs(static_cast<double>(v[static_cast<std::size_t>(i * n + j)]) - sum);
      worst = std::max(worst, off / (bound * (1 + 1e-5)));
      error += off * off;
      power += sum * sum;
    }
  }
  CHECK(worst <= 1);
  // uniform values in [-1, 1) have variance 1/3, and rounding to 1/127 has 1/(12 * 127^2), of both factors
  CHECK(std::sqrt(error / power) == doctest::Approx(std::sqrt(2 * 3 / 12.0) / 127).epsilon(0.1));
}

TEST_CASE("rows and outputs of zeros, or of next to nothing, are zero") {
  at_each_level([] {
    odd_values x;
    for (int l = 0; l < x.k; ++l) {
      x.row(3, l) = 0, x.row(36, l) *= 0x1p-120f, x.row(4, l) *= 0x1p-90f;
      x.output(0, l) = 0, x.output(34, l) *= 0x1p-130f;
    }
    const auto v = product(x.a, x.w, x.m, x.n, x.k);
    for (int j = 0; j < x.n; ++j) {
      CHECK(x.at(v, 3, j) == 0);
      CHECK(x.at(v, 36, j) == 0);
      CHECK((x.at(v, 4, j) != 0) == (j != 0 && j != 34));
    }
    for (int i = 0; i < x.m; ++i) {
      CHECK(x.at(v, i, 0) == 0);
      CHECK(x.at(v, i, 34) == 0);
    }
  });
}

TEST_CASE("a row or an output with a value that is not finite is NaN, and the others are as without it") {
  at_each_level([] {
    odd_values x;
    const auto before = product(x.a, x.w, x.m, x.n, x.k);
    x.row(2, 5) = infinity, x.row(20, 69) = no_number, x.row(36, 0) = -infinity;
    x.output(1, 3) = no_number, x.output(1, 60) = 3, x.output(17, 69) = -infinity;
    const auto v = product(x.a, x.w, x.m, x.n, x.k);
    int wrong = 0;
    for (int i = 0; i < x.m; ++i) {
      for (int j = 0; j < x.n; ++j) {
        const bool lost = i == 2 || i == 20 || i == 36 || j == 1 || j == 17;
        wrong += lost ? !std::isnan(x.at(v, i, j)) : x.at(v, i, j) != x.at(before, i, j);
      }
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("numbers as large as float32 has, and the scale of the largest, are finite") {
  odd_values x;
  for (int l = 0; l < x.k; ++l) x.row(0, l) = 0;
  x.row(0, 9) = std::numeric_limits<float>::max();
  for (int l = 0; l < x.k; ++l) x.output(0, l) *= 0x1p-40f;
  x.output(0, 9) = 0x1p-40f;
  const auto v = product(x.a, x.w, x.m, x.n, x.k);
  CHECK(x.at(v, 0, 0) == doctest::Approx(0x1p88).epsilon(1e-6));
}

TEST_CASE_TEMPLATE("a row does not depend on the rows beside it", T, float, trm::bf16) {
  at_each_level([] { trm_test::check_rows_are_independent<int8_product, T>(); });
  const int m = 50, n = 21, k = 40;
  numbers draw;
  const trm_test::samples<T> a(1, m, k, order::columns_contiguous, draw);
  const trm_test::samples<float> w(1, n, k, order::rows_contiguous, draw);
  const auto all = product(a, w, m, n, k);
  for (int first : {0, 1, 17, 33, 49}) {
    trm_test::samples<T> some = a;
    some.memory.erase(some.memory.begin(), some.memory.begin() + first);
    for (int rows : {1, 5, 16, m - first}) {
      if (first + rows > m) continue;
      const auto v = product(some, w, rows, n, k);
      CHECK(std::equal(v.begin(), v.end(), all.begin() + first * n));
    }
  }
}

TEST_CASE_TEMPLATE("masters of float32 and of float64 are quantised alike", T, float, trm::bf16) {
  trm_test::check_masters<int8_product, T>();
}

TEST_CASE("float64 is not quantised") {
  trm_test::check_multiply<int8_product, double>(13, 33, 64, order::rows_contiguous, false);
  trm_test::check_accumulate<int8_product, double, double>(2, 5, 7, 9, order::rows_contiguous, order::rows_contiguous);
}

TEST_CASE("a sum that could leave int32 is refused, the longest one is exact") {
  const int k = int8_product::longest_reduction;
  const std::vector<float> ones(static_cast<std::size_t>(k) + 1, 1);
  trm_test::workspace prepared(int8_product::prepared_bytes<float>(1, k)),
      scratch(int8_product::multiply_workspace<float>(1, k));
  at_each_level([&] {
    int8_product::prepare<float, float>({ones.data(), k, 1}, 1, k, prepared.data());
    float v = 0;
    int8_product::multiply<float>({ones.data(), k, 1}, 1, prepared.data(), 1, k, &v, 1, scratch.data());
    CHECK(v == doctest::Approx(k).epsilon(1e-6));
  });
  CHECK_THROWS_WITH_AS((int8_product::prepare<float, float>({ones.data(), k + 1, 1}, 1, k + 1, prepared.data())),
                       "int8_product: cannot sum 65537 products, 65536 at most: use builtin_product", trm::error);
}

TEST_CASE("the level follows what the rest computes with, and cannot be raised above the machine's") {
  use_isa(isa::portable);
  CHECK(current_int8_isa() == int8_isa::portable);
  use_isa(detect_isa());
  CHECK(current_int8_isa() == detect_int8_isa());
  if (!has_int8(int8_isa::amx)) CHECK_THROWS_AS(use_int8_isa(int8_isa::amx), trm::error);
}
