// SPDX-License-Identifier: MIT
// The augmentations of a task: eight symmetries of the square times permutations of the colours, and their names.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "trm/core/error.hpp"
#include "trm/data/arc/grid.hpp"

namespace trm::arc {

/// The dihedral group as published datasets number it: 0 identity, 1 2 3 quarter turns counterclockwise,
/// 4 left-right mirror, 5 up-down mirror, 6 transpose, 7 transpose along the other diagonal.
inline constexpr int dihedral_transforms = 8;

/// The transform that undoes `transform`; requires 0 <= transform < 8.
constexpr int inverse_transform(int transform) { return transform == 1 ? 3 : transform == 3 ? 1 : transform; }

/// The grid under one of the eight symmetries; requires 0 <= transform < 8.
constexpr grid dihedral(const grid& g, int transform) {
  if (transform == 0 || g.empty()) return g;
  const int rows = g.rows(), columns = g.columns();
  const bool turned = transform == 1 || transform == 3 || transform >= 6;  // sides change places
  grid out(turned ? columns : rows, turned ? rows : columns);
  // Each symmetry reads the source from one corner, in steps of one row and of one column.
  const auto fill = [&](int row, int column, int row_by_i, int column_by_i, int row_by_j, int column_by_j) {
    for (int i = 0; i < out.rows(); ++i) {
      for (int j = 0; j < out.columns(); ++j) {
        out(i, j) = g(row + i * row_by_i + j * row_by_j, column + i * column_by_i + j * column_by_j);
      }
    }
  };
  switch (transform) {
    case 1:
      fill(0, columns - 1, 0, -1, 1, 0);
      break;
    case 2:
      fill(rows - 1, columns - 1, -1, 0, 0, -1);
      break;
    case 3:
      fill(rows - 1, 0, 0, 1, -1, 0);
      break;
    case 4:
      fill(0, columns - 1, 1, 0, 0, -1);
      break;
    case 5:
      fill(rows - 1, 0, -1, 0, 0, 1);
      break;
    case 6:
      fill(0, 0, 0, 1, 1, 0);
      break;
    default:
      fill(rows - 1, columns - 1, 0, -1, -1, 0);
      break;
  }
  return out;
}

/// colours[c] is what colour c becomes.
using colour_map = std::array<std::uint8_t, colour_count>;
inline constexpr colour_map same_colours = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

/// Every cell c replaced by map[c].
constexpr grid recolour(grid g, const colour_map& map) {
  for (std::uint8_t& cell : g.cells()) cell = map[cell];
  return g;
}

/// Colours permuted, then turned or mirrored. Colours and symmetry commute, so an inverse is an augmentation again.
struct augmentation {
  int transform = 0;                  // the symmetry of the square, 0 .. 7, as dihedral() numbers them
  colour_map colours = same_colours;  // colour c becomes colours[c]

  /// the grid, recoloured and then turned
  constexpr grid apply(const grid& g) const { return dihedral(recolour(g, colours), transform); }
  /// inverse().apply(apply(g)) == g
  constexpr augmentation inverse() const {
    augmentation undo{.transform = inverse_transform(transform), .colours = {}};
    for (std::size_t c = 0; c < colours.size(); ++c) undo.colours[colours[c]] = static_cast<std::uint8_t>(c);
    return undo;
  }
  friend constexpr bool operator==(const augmentation&, const augmentation&) = default;
};

/// Separates task, transform and colours in the name of a puzzle.
inline constexpr std::string_view name_separator = "|||";

/// `TASK|||t3|||0123456789`: the name of an augmented puzzle. An unaugmented puzzle is named `TASK` alone.
inline std::string compose_name(std::string_view task, const augmentation& how) {
  std::string name(task);
  name += name_separator;
  name += 't';
  name += static_cast<char>('0' + how.transform);
  name += name_separator;
  for (const std::uint8_t colour : how.colours) name += static_cast<char>('0' + colour);
  return name;
}

/// The parts of a puzzle's name. `how` is the identity where the name is that of an unaugmented puzzle.
struct puzzle_name {
  std::string task;  // the task's name, without the augmentation
  augmentation how;
};

/// Takes `TASK` or `TASK|||t3|||0123456789` apart.
/// \throws trm::error where separators are there but not followed by a transform and a permutation of ten colours
inline puzzle_name parse_name(std::string_view name) {
  const auto refuse = [&](const char* what) {
    std::string shown(name.substr(0, 100));
    for (char& c : shown) c = c >= ' ' ? c : '?';
    return error("puzzle \"" + shown + "\"", std::string(what) + ", expected TASK|||t0|||0123456789");
  };
  const std::size_t first = name.find(name_separator);
  if (first == std::string_view::npos) return {std::string(name), {}};
  const std::string_view rest = name.substr(first + name_separator.size());
  const std::size_t second = rest.find(name_separator);
  if (second == std::string_view::npos) throw refuse("one separator instead of two");
  const std::string_view transform = rest.substr(0, second);
  const std::string_view map = rest.substr(second + name_separator.size());
  if (transform.size() != 2 || transform[0] != 't' || transform[1] < '0' || transform[1] > '7') {
    throw refuse("the transform is not t0 to t7");
  }
  puzzle_name parts{std::string(name.substr(0, first)), {.transform = transform[1] - '0', .colours = {}}};
  unsigned seen = 0;
  if (map.size() == colour_count) {
    for (std::size_t c = 0; c < map.size(); ++c) {
      if (map[c] < '0' || map[c] > '9') break;
      parts.how.colours[c] = static_cast<std::uint8_t>(map[c] - '0');
      seen |= 1u << parts.how.colours[c];
    }
  }
  if (seen != 0x3ff) throw refuse("the colours are not a permutation of 0 to 9");
  return parts;
}

}  // namespace trm::arc
