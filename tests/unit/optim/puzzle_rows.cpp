// SPDX-License-Identifier: MIT
#include "trm/optim/puzzle_rows.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "support/throws.hpp"
#include "trm/optim/new_row.hpp"
#include "trm/optim/puzzle_table.hpp"

namespace {

using rows = trm::puzzle_rows<double>;
const std::vector<double> numbers{0, 1, 2, 3, 4, 8};  // [3, 2]

std::vector<double> gathered(const rows& from, const std::vector<int>& ids) {
  std::vector<double> out(ids.size() * from.width());
  from.gather(ids.data(), static_cast<int>(ids.size()), out.data());
  return out;
}

}  // namespace

TEST_CASE("rows in memory of any alignment") {
  std::vector<std::byte> shifted(numbers.size() * sizeof(double) + 1);
  std::memcpy(shifted.data() + 1, numbers.data(), shifted.size() - 1);
  double whole[2];
  std::memcpy(whole, shifted.data() + 1, sizeof(whole));
  const rows there(reinterpret_cast<const double*>(shifted.data() + 1), 3, 2);
  CHECK(gathered(there, {2, 0, 2}) == std::vector<double>{4, 8, 0, 1, 4, 8});
}

TEST_CASE("a table is its rows") {
  trm::puzzle_table<double> table(3, 2, 1);
  std::copy(numbers.begin(), numbers.end(), table.data());
  const rows view = table;
  table.data()[3] = 7;  // what is viewed, not a copy of it
  CHECK(view.rows() == 3);
  CHECK(gathered(view, {1}) == std::vector<double>{2, 7});
}

TEST_CASE("an identifier without a row, rows of another width") {
  const rows three(numbers.data(), 3, 2);
  trm_test::check_error([&] { gathered(three, {3}); }, "puzzle identifier 3: the table has rows 0 to 3 (exclusive)");
  trm_test::check_error([&] { gathered(three, {-1}); }, "puzzle identifier -1: the table has rows 0 to 3 (exclusive)");
  trm_test::check_error([&] { three.check_width(4); }, "puzzle table: its rows have 2 numbers, the model's 4");
  CHECK(rows().rows() == 0);
}

TEST_CASE("a number that the reader refuses is named with its place") {
  const auto all_but_last = [](const std::byte* from, std::size_t count, double* to) {
    std::memcpy(to, from, count * sizeof(double));
    return count - 1;
  };
  const rows refused(reinterpret_cast<const std::byte*>(numbers.data()), 3, 2, sizeof(double), all_but_last, "FILE");
  trm_test::check_error([&] { gathered(refused, {2}); }, "FILE: puzzle identifier 2: number 1 is not finite");
  trm_test::check_error([&] { refused.check_width(4); }, "FILE: its rows have 2 numbers");
}

TEST_CASE("new rows: mean, zero, a copy, given numbers; the table stays where it is") {
  trm::puzzle_overlay<double> all(rows(numbers.data(), 3, 2));
  CHECK(all.view().rows() == 3);
  CHECK(all.add(trm::new_row::mean()) == 3);
  CHECK(all.add(trm::new_row::zero()) == 4);
  CHECK(all.add(trm::new_row::copy_of(1)) == 5);
  const std::vector<float> given{-1, -2, -3};
  trm_test::check_error([&] { all.add(trm::new_row::of(given)); }, "new puzzle row: 3 numbers given, a row has 2");
  CHECK(all.view().rows() == 6);
  CHECK(all.add(trm::new_row::of(std::span(given).first(2))) == 6);
  CHECK(gathered(all.view(), {6, 5}) == std::vector<double>{-1, -2, 2, 3});
  CHECK(gathered(all.view(), {3, 4, 5, 2}) == std::vector<double>{2, 4, 0, 0, 2, 3, 4, 8});
  trm_test::check_error([&] { all.add(trm::new_row::copy_of(7)); }, "puzzle identifier 7: the table has rows 0 to 3");
  trm_test::check_error([&] { gathered(all.view(), {7}); }, "puzzle identifier 7: the table has rows 0 to 7");
}

TEST_CASE("new rows of a model whose table is not there") {
  trm::puzzle_overlay<double> all(rows(nullptr, 0, 2));
  trm_test::check_error([&] { all.add(trm::new_row::mean()); }, "puzzle table: has no rows to take the mean of");
  CHECK(all.add(trm::new_row::zero()) == 0);
  CHECK(gathered(all.view(), {0}) == std::vector<double>{0, 0});
}

TEST_CASE("only whole rows are put behind a table, and once") {
  const rows three(numbers.data(), 3, 2);
  trm_test::check_error([&] { three.with(std::span(numbers).first(3)); },
                        "puzzle rows: what is added must be whole rows");
  trm_test::check_error([&] { three.with(numbers).with(numbers); }, "puzzle rows: have rows behind them already");
}
