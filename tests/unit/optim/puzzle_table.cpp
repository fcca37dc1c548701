// SPDX-License-Identifier: MIT
#include "trm/optim/puzzle_table.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "support/allocations.hpp"
#include "support/throws.hpp"

namespace {

constexpr int width = 3;

trm::puzzle_table<double> table_of(int rows, int batch) {
  trm::puzzle_table<double> t(static_cast<std::size_t>(rows), width, batch);
  for (int i = 0; i < rows * width; ++i) t.data()[i] = i;
  return t;
}
std::vector<double> row(const trm::puzzle_table<double>& t, int id) {
  return {t.data() + id * width, t.data() + (id + 1) * width};
}

}  // namespace

TEST_CASE("gather reads the rows in the order of the batch") {
  const auto t = table_of(4, 3);
  const std::vector<int> ids{2, 0, 2};
  std::vector<double> out(9);
  t.gather(ids.data(), 3, out.data());
  CHECK(out == std::vector<double>{6, 7, 8, 0, 1, 2, 6, 7, 8});
}

TEST_CASE("gather refuses an identifier without a row") {
  const auto t = table_of(4, 3);
  std::vector<double> out(3);
  for (int id : {4, -1, 1000000}) {
    trm_test::check_error([&] { t.gather(&id, 1, out.data()); },
                          "puzzle identifier " + std::to_string(id) + ": the table has rows 0 to 4");
  }
}

TEST_CASE("SignSGD: decay, and a step of the rate against the sign; a sum of zero only decays") {
  auto t = table_of(4, 3);
  const std::vector<int> ids{1};
  const std::vector<double> g{1e-30, -7, 0};
  t.sign_sgd(ids.data(), g.data(), 1, {0.5, 0.25});
  CHECK(row(t, 1) == std::vector<double>{3 * 0.875 - 0.5, 4 * 0.875 + 0.5, 5 * 0.875});
  CHECK(row(t, 0) == std::vector<double>{0, 1, 2});  // rows of other puzzles neither move nor decay
  CHECK(row(t, 2) == std::vector<double>{6, 7, 8});
}

TEST_CASE("gradients of equal identifiers are summed before the sign, and the row moves once") {
  auto t = table_of(4, 5);
  const std::vector<int> ids{3, 1, 3, 0, 3};
  const std::vector<double> g{2,  -1, 1,   //
                              1,  1,  1,   //
                              -1, -1, -2,  //
                              0,  0,  0,   //
                              -2, 5,  1};
  t.sign_sgd(ids.data(), g.data(), 5, {0.5, 0.25});
  // sums of identifier 3: -1, 3, 0
  CHECK(row(t, 3) == std::vector<double>{9 * 0.875 + 0.5, 10 * 0.875 - 0.5, 11 * 0.875});
  CHECK(row(t, 1) == std::vector<double>{3 * 0.875 - 0.5, 4 * 0.875 - 0.5, 5 * 0.875 - 0.5});
  CHECK(row(t, 0) == std::vector<double>{0, 0.875, 2 * 0.875});  // in the batch: it decays
  CHECK(row(t, 2) == std::vector<double>{6, 7, 8});              // not in the batch
}

TEST_CASE("a step takes no memory") {
  auto t = table_of(4, 5);
  const std::vector<int> ids{3, 1, 3, 0, 3};
  const std::vector<double> g(15, 1.0);
  const long before = trm_test::allocations;
  t.sign_sgd(ids.data(), g.data(), 5, {0.5, 0.25});
  t.sign_sgd(ids.data(), g.data(), 4, {0.5, 0.25});
  const long after = trm_test::allocations;
  CHECK(after - before == 0);
}

TEST_CASE("a table without rows") {
  const trm::puzzle_table<double> none;
  CHECK(none.rows() == 0);
  CHECK(none.width() == 0);
}
