// SPDX-License-Identifier: MIT
// Grids written out in tests.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

#include "trm/data/arc/grid.hpp"

namespace trm_test {

/// {"012", "345"}: one string a row, one digit a cell.
inline trm::arc::grid grid_of(std::initializer_list<std::string_view> rows) {
  trm::arc::grid g(static_cast<int>(rows.size()), static_cast<int>(rows.begin()->size()));
  int row = 0;
  for (const std::string_view digits : rows) {
    int column = 0;
    for (const char digit : digits) g(row, column++) = static_cast<std::uint8_t>(digit - '0');
    ++row;
  }
  return g;
}

/// For messages: "012/345".
inline std::string text(const trm::arc::grid& g) {
  std::string out;
  for (int row = 0; row < g.rows(); ++row) {
    if (row > 0) out += '/';
    for (int column = 0; column < g.columns(); ++column) out += static_cast<char>('0' + g(row, column));
  }
  return out;
}

}  // namespace trm_test
