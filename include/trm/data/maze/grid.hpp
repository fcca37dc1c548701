// SPDX-License-Identifier: MIT
// A square maze: its cells, their tokens and characters.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trm/core/error.hpp"

namespace trm::maze {

/// The value of a cell is its token in published datasets. `wall` and `free` are the maze, `start` and `goal` one cell each, `path`
/// the cells between them in an answer. `unknown` is the padding token: no maze has it, a prediction may.
enum class cell : std::uint8_t { unknown = 0, wall = 1, free = 2, start = 3, goal = 4, path = 5 };

/// No cell: the token that fills a canvas larger than the maze.
inline constexpr std::int32_t pad_token = 0;
/// Padding and five kinds of cells.
inline constexpr std::int32_t vocabulary = 6;
/// The published characters of wall, free, start, goal and path; token i + 1 is characters[i].
inline constexpr std::string_view characters = "# SGo";
inline constexpr int max_side = 64;

/// '?' for what is no cell of a maze.
constexpr char to_character(cell c) { return c == cell::unknown ? '?' : characters[static_cast<std::size_t>(c) - 1]; }
/// cell::unknown for any other character.
constexpr cell to_cell(char c) {
  const std::size_t at = characters.find(c);
  return at == characters.npos ? cell::unknown : static_cast<cell>(at + 1);
}

/// side * side cells in row-major order, numbered from 0. A question has walls, free cells, one start and one goal; an
/// answer is the question with the free cells of a shortest path marked.
class grid {
 public:
  grid() = default;
  /// \throws trm::error unless the side is 1 .. 64
  explicit grid(int side, cell fill = cell::free) {
    if (side < 1 || side > max_side) throw error("maze", "a side of " + std::to_string(side) + ", must be 1 to 64");
    side_ = side;
    cells_.assign(static_cast<std::size_t>(side) * static_cast<std::size_t>(side), fill);
  }

  int side() const { return side_; }                  // rows, and columns
  std::size_t size() const { return cells_.size(); }  // side * side
  /// Cell i = row * side + column; requires i < size().
  cell operator[](std::size_t i) const { return cells_[i]; }
  cell& operator[](std::size_t i) { return cells_[i]; }
  /// Requires 0 <= row, column < side().
  cell operator()(int row, int column) const { return cells_[index(row, column)]; }
  cell& operator()(int row, int column) { return cells_[index(row, column)]; }
  std::span<const cell> cells() const { return cells_; }  // [side, side]
  friend bool operator==(const grid&, const grid&) = default;

 private:
  std::size_t index(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(side_) + static_cast<std::size_t>(column);
  }
  int side_ = 0;
  std::vector<cell> cells_;
};

/// The side of a square of so many cells; 0 where there is none of 1 .. 64.
constexpr int side_of(std::size_t cells) {
  for (int side = 1; side <= max_side; ++side) {
    if (static_cast<std::size_t>(side) * static_cast<std::size_t>(side) == cells) return side;
  }
  return 0;
}

/// Writes g.size() tokens; requires as much room.
template <class Token>
void encode(const grid& g, std::span<Token> tokens) {
  for (std::size_t i = 0; i < g.size(); ++i) tokens[i] = static_cast<Token>(g[i]);
}

/// The maze that any tokens stand for; a token that is no cell becomes cell::unknown.
/// \throws trm::error where the number of tokens is not that of a square of side 1 .. 64
template <class Token>
grid decode(std::span<const Token> tokens) {
  const int side = side_of(tokens.size());
  if (side == 0) throw error("maze", std::to_string(tokens.size()) + " tokens are not a square of side 1 to 64");
  grid g(side);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    g[i] = tokens[i] >= 1 && tokens[i] < vocabulary ? static_cast<cell>(tokens[i]) : cell::unknown;
  }
  return g;
}

namespace detail {

[[noreturn]] inline void refuse_character(const std::string& place, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  const std::string shown =
      c > ' ' && c <= '~' ? "'" + std::string(1, c) + "'" : std::string("byte 0x") + hex[byte / 16] + hex[byte % 16];
  throw error(place, shown + " is no cell of a maze, expected one of \"" + std::string(characters) + "\"");
}

}  // namespace detail

/// A maze written as one line of side * side characters, row after row, as tables have it.
/// \throws trm::error `place: cell 17 (row 2, column 8): ...`
inline grid parse_line(std::string_view line, const std::string& place) {
  const int side = side_of(line.size());
  if (side == 0) throw error(place, std::to_string(line.size()) + " characters are not a square of side 1 to 64");
  grid g(side);
  for (std::size_t i = 0; i < line.size(); ++i) {
    g[i] = to_cell(line[i]);
    if (g[i] != cell::unknown) continue;
    const auto n = static_cast<std::size_t>(side);
    detail::refuse_character(place + ": cell " + std::to_string(i + 1) + " (row " + std::to_string(i / n + 1) +
                                 ", column " + std::to_string(i % n + 1) + ")",
                             line[i]);
  }
  return g;
}

/// A maze written as lines, as many as a line has characters, or as parse_line() takes it. Line breaks are LF or CRLF;
/// empty lines at the end do not count.
/// \throws trm::error `place: line 2, column 8: ...`
inline grid parse(std::string_view text, const std::string& place) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.find('\n') == text.npos) return parse_line(text, place);
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  if (lines > static_cast<std::size_t>(max_side)) {
    throw error(place, std::to_string(lines) + " lines, a maze has at most " + std::to_string(max_side));
  }
  grid g(static_cast<int>(lines));
  for (std::size_t row = 0; row < lines; ++row) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string here = place + ": line " + std::to_string(row + 1);
    for (std::size_t column = 0; column < std::min(lines, line.size()); ++column) {
      const cell c = to_cell(line[column]);
      if (c == cell::unknown) detail::refuse_character(here + ", column " + std::to_string(column + 1), line[column]);
      g[row * lines + column] = c;
    }
    if (line.size() != lines) {
      throw error(here, std::to_string(line.size()) + " cells in one of " + std::to_string(lines) +
                            " lines: a maze is square, and free cells at the end of a line are spaces");
    }
  }
  return g;
}

/// side * side characters in one line.
inline std::string to_line(const grid& g) {
  std::string line;
  for (const cell c : g.cells()) line += to_character(c);
  return line;
}

}  // namespace trm::maze
