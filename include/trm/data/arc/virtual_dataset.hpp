// SPDX-License-Identifier: MIT
// ARC rows that are made when they are read: the source puzzles and of every row its augmentation and place.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/row.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/data/row_source.hpp"
#include "trm/data/virtual_file.hpp"

namespace trm::arc {
namespace detail {

/// Bits 4c .. 4c + 3: what colour c becomes; bits 40 .. 42: the transform; the others are 0.
constexpr std::uint64_t pack(const augmentation& how) {
  std::uint64_t word = static_cast<std::uint64_t>(how.transform) << 40;
  for (std::size_t c = 0; c < how.colours.size(); ++c) word |= std::uint64_t{how.colours[c]} << (4 * c);
  return word;
}

constexpr augmentation unpack(std::uint64_t word) {
  augmentation how{.transform = static_cast<int>(word >> 40 & 7), .colours = {}};
  for (std::size_t c = 0; c < how.colours.size(); ++c) {
    how.colours[c] = static_cast<std::uint8_t>(word >> (4 * c) & 15);
  }
  return how;
}

/// Whether the word is that of a symmetry and a permutation of ten colours.
constexpr bool is_packed_augmentation(std::uint64_t word) {
  unsigned seen = 0;
  for (const std::uint8_t colour : unpack(word).colours) seen |= 1u << colour;
  return word >> 43 == 0 && seen == 0x3ff;
}

}  // namespace detail

/// The set of one split in a virtual_file of the kind "arc", version 1, metadata "canvas": the side of the canvas.
///
///   cells              u8  [n]        colours of all grids, row-major; of every example the input, then the output
///   sides              u8  [E, 4]     of every example: rows and columns of the input, of the output
///   group_examples     i64 [G + 1]    boundaries: group g has the examples [g, g + 1)
///   group_indices      i64 [G + 1]    boundaries: group g has the puzzles [g, g + 1)
///   augmentations      u64 [P]        of every puzzle: see detail::pack
///   puzzle_identifiers i32 [P]
///   places             u8  [R, 2]     of every row: row and column of the canvas at which its grids begin
///
/// The rows of a puzzle are the examples of its group, in order. All of it is checked when the file is opened.
class virtual_rows final : public row_source {
 public:
  static constexpr const char* kind = "arc";
  static constexpr int version = 1;

  /// \throws trm::error with file, tensor and element where something is malformed or at odds with the metadata
  virtual_rows(virtual_file file, const dataset_metadata& m, set_index& index) : file_(std::move(file)) {
    if (file_.number("version", 1, 1'000'000) > version) {
      throw error(file_.place(), "version " + file_.text("version") +
                                     " of its kind, known is 1: read it with a newer "
                                     "version");
    }
    canvas_ = file_.number("canvas", 1, max_side);
    if (canvas_ * canvas_ != m.seq_len) fail("a canvas of " + std::to_string(canvas_) + ", seq_len", m.seq_len);
    if (m.vocab_size < vocabulary) fail("12 tokens, vocab_size", m.vocab_size);
    ignore_ = m.ignore_label_id;
    read_examples();
    read_groups(index);
    read_puzzles(index, m.num_puzzle_identifiers);
    check_places();
  }

  void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const override {
    const place at = find(row);
    const augmentation how = augmentation_of(at.puzzle);
    const auto [top, left] = place_of(row);
    write_canvas(at.of->input, how.transform, tokens_of<std::int32_t>(how.colours), canvas_, top, left, inputs);
    write_canvas(at.of->output, how.transform, label_tokens_of(how.colours, ignore_), canvas_, top, left, labels);
  }

  int canvas() const { return canvas_; }  // the side of the square that rows are laid on
  /// Of puzzle 0 <= puzzle < index.puzzles().
  augmentation augmentation_of(std::int64_t puzzle) const {
    std::uint64_t word;
    std::memcpy(&word, augmentations_.data() + static_cast<std::size_t>(puzzle) * sizeof word, sizeof word);
    return detail::unpack(word);
  }
  /// Where on the canvas a row begins: row and column.
  std::pair<int, int> place_of(std::int64_t row) const {
    const std::byte* at = places_.data() + 2 * row;
    return {std::to_integer<int>(at[0]), std::to_integer<int>(at[1])};
  }

 private:
  struct pair_view {
    cells_view input, output;
  };
  struct group_rows {
    std::int64_t first_row, first_puzzle, first_example, examples;
  };
  struct place {
    const pair_view* of;
    std::int64_t puzzle;
  };

  [[noreturn]] void fail(const std::string& ours, std::int64_t theirs) const {
    throw error(file_.place(), ours + " of dataset.json is " + std::to_string(theirs));
  }
  [[noreturn]] void fail(const char* tensor, std::int64_t element, const std::string& what) const {
    throw error(file_.place(tensor), "element " + std::to_string(element) + ": " + what);
  }

  void read_examples() {
    const std::span<const std::byte> cells = file_.bytes("cells", element_type::u8);
    const std::span<const std::byte> sides = file_.bytes("sides", element_type::u8, 4);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (std::to_integer<int>(cells[i]) >= colour_count) fail("cells", static_cast<std::int64_t>(i), "no colour");
    }
    std::size_t at = 0;
    const auto next = [&](std::size_t side) {
      const int rows = std::to_integer<int>(sides[side]), columns = std::to_integer<int>(sides[side + 1]);
      const auto element = static_cast<std::int64_t>(side);
      if (rows < 1 || rows > canvas_ || columns < 1 || columns > canvas_) {
        fail("sides", element, std::to_string(rows) + " x " + std::to_string(columns) + " cells");
      }
      const auto size = static_cast<std::size_t>(rows * columns);
      if (size > cells.size() - at) fail("sides", element, "beyond the end of the cells");
      const auto* first = reinterpret_cast<const std::uint8_t*>(cells.data() + at);
      at += size;
      return cells_view(first, rows, columns);
    };
    for (std::size_t side = 0; side < sides.size(); side += 4) {
      const cells_view input = next(side);
      examples_.push_back({input, next(side + 2)});
    }
    if (at != cells.size()) {
      throw error(file_.place("cells"), std::to_string(cells.size() - at) + " cells belong to no example");
    }
  }

  void read_groups(set_index& index) {
    const std::vector<std::int64_t> examples = file_.list<std::int64_t>("group_examples");
    const std::size_t puzzles = file_.bytes("augmentations", element_type::u64).size() / sizeof(std::uint64_t);
    index.group_indices = file_.list<std::int64_t>("group_indices");
    trm::detail::check_boundaries(file_.place("group_examples"), examples, static_cast<std::int64_t>(examples_.size()),
                                  "examples", true);
    trm::detail::check_boundaries(file_.place("group_indices"), index.group_indices, static_cast<std::int64_t>(puzzles),
                                  "puzzles", true);
    if (examples.size() != index.group_indices.size()) {
      throw error(file_.place("group_examples"), "another number of groups than group_indices");
    }
    places_ = file_.bytes("places", element_type::u8, 2);
    const auto rows = static_cast<std::int64_t>(places_.size() / 2);
    std::int64_t row = 0;
    index.puzzle_indices.clear();
    index.puzzle_indices.reserve(puzzles + 1);
    index.puzzle_indices.push_back(0);
    for (std::size_t g = 0; g + 1 < examples.size(); ++g) {
      const std::int64_t first = index.group_indices[g], count = examples[g + 1] - examples[g];
      groups_.push_back({row, first, examples[g], count});
      for (std::int64_t puzzle = first; puzzle < index.group_indices[g + 1]; ++puzzle) {
        // Examples and puzzles are there one by one, but their product may still be absurd.
        if (count > rows - row) throw error(file_.place("places"), "fewer rows than the puzzles have");
        index.puzzle_indices.push_back(row += count);
      }
    }
    if (row != rows) trm::detail::throw_disagreement(file_.place("places"), rows, "rows", row);
  }

  void read_puzzles(set_index& index, std::int32_t identifiers) {
    augmentations_ = file_.bytes("augmentations", element_type::u64);
    for (std::int64_t puzzle = 0; puzzle < index.puzzles(); ++puzzle) {
      std::uint64_t word;
      std::memcpy(&word, augmentations_.data() + static_cast<std::size_t>(puzzle) * sizeof word, sizeof word);
      if (!detail::is_packed_augmentation(word)) fail("augmentations", puzzle, "no symmetry with ten colours");
    }
    index.puzzle_identifiers = file_.list<std::int32_t>("puzzle_identifiers");
    trm::detail::check_identifiers(file_.place("puzzle_identifiers"), index.puzzle_identifiers, index.puzzles(),
                                   identifiers);
  }

  void check_places() const {
    std::int64_t row = 0;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const group_rows& group = groups_[g];
      const std::int64_t last =
          g + 1 < groups_.size() ? groups_[g + 1].first_row : static_cast<std::int64_t>(places_.size() / 2);
      for (std::int64_t puzzle = group.first_puzzle; row < last; ++puzzle) {
        const bool turned = is_turned(augmentation_of(puzzle).transform);
        for (std::int64_t i = 0; i < group.examples; ++i, ++row) {
          const pair_view& pair = examples_[static_cast<std::size_t>(group.first_example + i)];
          int rows = std::max(pair.input.rows, pair.output.rows);
          int columns = std::max(pair.input.columns, pair.output.columns);
          if (turned) std::swap(rows, columns);
          const auto [top, left] = place_of(row);
          if (top + rows > canvas_ || left + columns > canvas_) fail("places", row, "the grids leave the canvas");
        }
      }
    }
  }

  place find(std::int64_t row) const {
    if (row < 0 || row >= static_cast<std::int64_t>(places_.size() / 2)) {
      throw error(file_.place(), "row " + std::to_string(row) + " wanted, has " + std::to_string(places_.size() / 2));
    }
    const auto after = std::ranges::upper_bound(groups_, row, {}, &group_rows::first_row);
    const group_rows& group = *(after - 1);
    const std::int64_t in_group = row - group.first_row;
    return {&examples_[static_cast<std::size_t>(group.first_example + in_group % group.examples)],
            group.first_puzzle + in_group / group.examples};
  }

  virtual_file file_;
  int canvas_ = 0;
  std::optional<std::int32_t> ignore_;
  std::vector<pair_view> examples_;
  std::vector<group_rows> groups_;
  std::span<const std::byte> augmentations_, places_;
};

/// The index and the rows of a virtual set, checked against the metadata. Throws trm::error where they do not fit.
inline opened_set open_virtual_rows(virtual_file file, const dataset_metadata& m) {
  opened_set set;
  set.rows = std::make_unique<const virtual_rows>(std::move(file), m, set.index);
  return set;
}

/// Collects a set and writes it in virtual form, in the order of a dataset: of every group its examples, then of every puzzle
/// its augmentation, its identifier and the place of each of its rows.
class virtual_rows_writer {
 public:
  /// For rows on a canvas of this side.
  explicit virtual_rows_writer(int canvas) : canvas_(canvas) {}

  /// Requires the outputs.
  void begin_group(std::span<const example* const> examples) {
    for (const example* pair : examples) {
      for (const grid* g : {&pair->input, &*pair->output}) {
        cells_.insert(cells_.end(), g->cells().begin(), g->cells().end());
        sides_.push_back(static_cast<std::uint8_t>(g->rows()));
        sides_.push_back(static_cast<std::uint8_t>(g->columns()));
      }
    }
    group_examples_.push_back(static_cast<std::int64_t>(sides_.size() / 4));
  }
  /// The next augmentation of the group, and the identifier of its puzzle.
  void add_puzzle(const augmentation& how, std::int32_t identifier) {
    augmentations_.push_back(detail::pack(how));
    identifiers_.push_back(identifier);
  }
  /// The next example of the puzzle, with its grids at this place of the canvas.
  void add_row(int top, int left) {
    places_.push_back(static_cast<std::uint8_t>(top));
    places_.push_back(static_cast<std::uint8_t>(left));
  }
  /// The task's last puzzle has been added.
  void end_group() { group_indices_.push_back(static_cast<std::int64_t>(identifiers_.size())); }

  /// Writes the file. Throws trm::error where it cannot.
  void save(const std::filesystem::path& path) const {
    const auto count = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
    virtual_file_writer file(virtual_rows::kind, virtual_rows::version);
    file.number("canvas", canvas_);
    file.add<std::uint8_t>("cells", {count(cells_)}, cells_);
    file.add<std::uint8_t>("sides", {count(sides_) / 4, 4}, sides_);
    file.add<std::int64_t>("group_examples", {count(group_examples_)}, group_examples_);
    file.add<std::int64_t>("group_indices", {count(group_indices_)}, group_indices_);
    file.add<std::uint64_t>("augmentations", {count(augmentations_)}, augmentations_);
    file.add<std::int32_t>("puzzle_identifiers", {count(identifiers_)}, identifiers_);
    file.add<std::uint8_t>("places", {count(places_) / 2, 2}, places_);
    file.save(path);
  }

 private:
  int canvas_;
  std::vector<std::uint8_t> cells_, sides_, places_;
  std::vector<std::int64_t> group_examples_{0}, group_indices_{0};
  std::vector<std::uint64_t> augmentations_;
  std::vector<std::int32_t> identifiers_;
};

}  // namespace trm::arc
