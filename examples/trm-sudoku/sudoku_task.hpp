// SPDX-License-Identifier: MIT
// Sudoku as a task of the shared commands.
#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "../program/report/sudoku_drawing.hpp"
#include "../program/task.hpp"
#include "score.hpp"
#include "trm/data/sudoku/puzzle_source.hpp"

namespace trm_sudoku {

class sudoku_task final : public program::table_task {
 public:
  std::string program() const override { return "trm-sudoku"; }
  std::string title(const program::example_data& data) const override {
    return fmt::format("Sudoku {0} \u00d7 {0}",
                       trm::sudoku::size_of_cells(static_cast<std::size_t>(data.metadata.seq_len)));
  }
  std::string training_example() const override {
    return "trm-sudoku generate --size 6 --count 20000 --test 1000 --output data/six\n"
           "  trm-sudoku train --data data/six --run runs/six --eval-every 500";
  }
  std::string evaluation_example() const override {
    return "trm-sudoku evaluate --data data/six --checkpoint runs/six/checkpoints/step_7000";
  }
  void add_training_options(CLI::App& c) override {
    c.add_option("--augmentations", augmentations_,
                 "Symmetric forms that a table's puzzle is shown in, besides itself; they cost no memory")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
  }
  program::drawing draw() const override {
    using tokens = program::drawing::tokens;
    const auto digits = [](tokens from) {  // 0: empty, -1: padding
      std::vector<int> all(from.begin(), from.end());
      for (int& t : all) t -= 1;
      return all;
    };
    const auto draw = [digits](tokens inputs, tokens answer, tokens labels) {
      const auto g = trm::sudoku::geometry_of(trm::sudoku::size_of_cells(inputs.size()));
      return program::report::sudoku(g.size, g.box_rows, g.box_columns, digits(inputs), digits(answer), digits(labels));
    };
    return {[=](tokens inputs) { return draw(inputs, {}, {}); },
            [=](tokens inputs, tokens labels) { return draw(inputs, labels, {}); },
            [=](tokens inputs, tokens labels, tokens answer) { return draw(inputs, answer, labels); }};
  }
  std::unique_ptr<program::scorer> scores(const program::paths&, const std::string&) const override {
    return std::make_unique<score>();
  }

 private:
  trm::json table_options() const override { return {{"augmentations", augmentations_}}; }
  program::example_data read_table(const std::filesystem::path& file, bool training,
                                   std::uint64_t seed) const override {
    return of_table(file, trm::sudoku::read_puzzle_source(file, training ? augmentations_ : 0, seed));
  }
  void check(const program::example_data& data) const override {
    if (trm::sudoku::size_of_cells(static_cast<std::size_t>(data.metadata.seq_len)) == 0) {
      throw trm::error(data.place,
                       fmt::format("has {} tokens an example, a Sudoku 16, 36 or 81", data.metadata.seq_len));
    }
  }

  std::int64_t augmentations_ = 1000;
};

}  // namespace trm_sudoku
