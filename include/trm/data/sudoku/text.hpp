// SPDX-License-Identifier: MIT
// Boards as text: parsed from a line or a drawn grid, printed as either.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/sudoku/board.hpp"
#include "trm/io/json.hpp"

namespace trm::sudoku {
namespace detail {

/// Is it a part of a drawn grid that is not a cell?
constexpr bool is_frame(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '|' || c == '+' || c == '-' || c == '=';
}
constexpr bool is_empty_cell(char c) { return c == '.' || c == '0' || c == '_'; }
constexpr bool is_cell(char c) { return is_empty_cell(c) || (c >= '1' && c <= '9'); }

/// Collects the cells of a text that begins on line `line` of something larger.
class cell_scanner {
 public:
  cell_scanner(std::string_view text, std::string place, std::size_t line)
      : text_(text), place_(std::move(place)), line_(line) {}

  board scan() {
    std::string cells;
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (is_frame(text_[i])) continue;
      if (!is_cell(text_[i])) {
        fail(i,
             trm::detail::printable(text_.substr(i, 1)) + " is no cell: expected a digit, or . 0 _ for an empty cell");
      }
      if (cells.size() == static_cast<std::size_t>(max_cells)) fail(i, "more than 81 cells");
      cells += text_[i];
      at.push_back(i);
    }
    const int size = size_of_cells(cells.size());
    if (size == 0) {
      throw error(place_, "line " + std::to_string(line_) + ": found " + std::to_string(cells.size()) +
                              " cells, a puzzle has 16, 36 or 81");
    }
    board b(size);
    for (int i = 0; i < b.cells(); ++i) {
      const auto n = static_cast<std::size_t>(i);
      if (is_empty_cell(cells[n])) continue;
      if (cells[n] - '0' > size) fail(at[n], std::string(1, cells[n]) + " in a puzzle of size " + std::to_string(size));
      b[i] = static_cast<std::uint8_t>(cells[n] - '0');
    }
    return b;
  }

 private:
  [[noreturn]] void fail(std::size_t at, const std::string& what) const {
    std::size_t line = line_, start = 0;
    for (std::size_t i = 0; i < at; ++i) {
      if (text_[i] == '\n') ++line, start = i + 1;
    }
    throw error(place_, "line " + std::to_string(line) + ", column " + std::to_string(at - start + 1) + ": " + what);
  }

  std::string_view text_;
  std::string place_;
  std::size_t line_;
};

/// The cells of a line; 0 for one with anything else in it.
inline std::size_t cells_of(std::string_view line) {
  std::size_t count = 0;
  for (const char c : line) {
    if (is_cell(c)) {
      ++count;
    } else if (!is_frame(c)) {
      return 0;
    }
  }
  return count;
}

/// The next line without its end; false at the end of the text.
inline bool next_line(std::string_view& rest, std::string_view& line) {
  if (rest.empty()) return false;
  const std::size_t end = rest.find('\n');
  line = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  return true;
}

}  // namespace detail

/// The puzzle in a text: digits, and `.`, `0` or `_` for an empty cell, in one line or drawn as a grid of several lines
/// with blanks, `|`, `+`, `-` and `=` between the cells. The number of cells, 16, 36 or 81, says the size. Whether the
/// digits agree with each other is not asked (is_consistent).
/// \throws trm::error `place: line 2, column 5: ...`
inline board parse_puzzle(std::string_view text, const std::string& place = "puzzle") {
  return detail::cell_scanner(text, place, 1).scan();
}

/// All puzzles of a text: one a line, where the first line that has cells has all cells of a puzzle; otherwise the text
/// is one drawn grid. Empty lines and lines that begin with # are passed over.
/// \throws trm::error as parse_puzzle, and where there is no puzzle
inline std::vector<board> parse_puzzles(std::string_view text, const std::string& place = "puzzles") {
  std::vector<board> found;
  std::string_view rest = text, line;
  std::string drawn;  // the text with its comments as empty lines: errors keep their line
  bool one_a_line = false, begun = false;
  for (std::size_t number = 1; detail::next_line(rest, line); ++number) {
    if (!line.empty() && line.front() == '#') line = {};
    bool blank = true;
    for (const char c : line) blank = blank && detail::is_frame(c);
    if (!blank && !begun) {
      one_a_line = size_of_cells(detail::cells_of(line)) != 0;
      begun = true;
    }
    if (one_a_line && !blank) found.push_back(detail::cell_scanner(line, place, number).scan());
    if (!one_a_line) drawn.append(line).push_back('\n');
  }
  if (!begun) throw error(place, "no puzzle in it: expected lines of 16, 36 or 81 digits, with . for empty cells");
  if (!one_a_line) found.push_back(parse_puzzle(drawn, place));
  return found;
}

/// size * size characters in reading order.
inline std::string to_line(const board& b, char empty = '.') {
  std::string line(static_cast<std::size_t>(b.cells()), empty);
  for (int i = 0; i < b.cells(); ++i) {
    if (b[i] != 0) line[static_cast<std::size_t>(i)] = static_cast<char>('0' + b[i]);
  }
  return line;
}

/// How one cell is drawn: with these ANSI codes ("1;31"; empty: plainly), or in plain text with this character behind the digit.
struct cell_look {
  std::string codes;
  char mark = ' ';  // printed beside the digit
};

/// A grid with lines between the boxes; every line begins with `indent` and ends with '\n'. look(cell) is a cell_look. In plain
/// text without marks parse_puzzle reads it back.
template <class Look>
std::string draw_cells(const board& b, bool colour, Look look, const std::string& indent = "") {
  const geometry g = b.layout();
  std::string frame = indent + "+";
  for (int stack = 0; stack < g.stacks(); ++stack) {
    frame.append(static_cast<std::size_t>(2 * g.box_columns + 1), '-').push_back('+');
  }
  frame += '\n';
  std::string text = frame;
  for (int row = 0; row < g.size; ++row) {
    text += indent + "| ";
    for (int column = 0; column < g.size; ++column) {
      const int cell = row * g.size + column;
      const cell_look how = look(cell);
      const std::string digit(1, b[cell] == 0 ? '.' : static_cast<char>('0' + b[cell]));
      text += colour && !how.codes.empty() ? "\x1b[" + how.codes + "m" + digit + "\x1b[0m" : digit;
      text += colour ? ' ' : how.mark;
      if ((column + 1) % g.box_columns == 0) text += column + 1 < g.size ? "| " : "|\n";
    }
    if ((row + 1) % g.box_rows == 0) text += frame;
  }
  return text;
}

/// How a board is drawn beside what it came from. Boards of another size are ignored.
struct drawing {
  const board* clues = nullptr;     // bold where given; a clue that the board changed is marked
  const board* expected = nullptr;  // a cell unlike it is marked
  bool colour = false;              // ANSI: clues bold, marked cells red; plain text marks with ! behind the digit
};

/// The grid, see draw_cells.
inline std::string draw(const board& b, const drawing& how = {}) {
  const auto usable = [&](const board* other) { return other != nullptr && other->size() == b.size(); };
  return draw_cells(b, how.colour, [&](int cell) -> cell_look {
    const bool clue = usable(how.clues) && (*how.clues)[cell] != 0;
    const bool marked =
        (clue && (*how.clues)[cell] != b[cell]) || (usable(how.expected) && (*how.expected)[cell] != b[cell]);
    return {clue ? marked ? "1;31" : "1" : marked ? "31" : "", marked ? '!' : ' '};
  });
}

}  // namespace trm::sudoku
