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

class sudoku_task final : public program::task {
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
    return "trm-sudoku evaluate --data data/six --checkpoint runs/six/checkpoints/step_7000.safetensors";
  }
  std::string data_help() const override { return "Folders with train.csv and test.csv, or dataset folders"; }
  void add_training_options(CLI::App& c) override {
    c.add_option("--augmentations", augmentations_,
                 "Symmetric forms that a table's puzzle is shown in, besides itself; they cost no memory")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
  }
  bool has_split(const program::paths& data, const std::string& split) const override {
    return program::is_dataset(data.front(), split) ||
           (data.front().extension() != ".csv" && std::filesystem::exists(table(data.front(), split)));
  }
  program::example_data open(const program::paths& data, const std::string& split, bool training,
                             std::uint64_t seed) const override {
    if (program::is_dataset(data.front(), split)) return check(program::open_dataset(data, split));
    if (data.size() > 1) throw trm::error(data[1].string(), "of several --data folders all must be datasets");
    const auto file = table(data.front(), split);
    const auto puzzles = std::make_shared<const trm::sudoku::puzzle_source>(
        trm::sudoku::read_puzzle_source(file, training ? augmentations_ : 0, seed));
    program::example_data all{.metadata = puzzles->metadata(), .sources = {}, .set_of = {0}, .place = file.string()};
    all.sources.emplace_back(puzzles);
    return all;
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
  /// A folder's table of a split, or the file itself.
  static std::filesystem::path table(const std::filesystem::path& data, const std::string& split) {
    return data.extension() == ".csv" ? data : data / (split + ".csv");
  }
  static program::example_data check(program::example_data data) {
    const int size = trm::sudoku::size_of_cells(static_cast<std::size_t>(data.metadata.seq_len));
    if (size == 0) {
      throw trm::error(data.place,
                       fmt::format("has {} tokens an example, a Sudoku 16, 36 or 81", data.metadata.seq_len));
    }
    return data;
  }

  std::int64_t augmentations_ = 1000;
};

}  // namespace trm_sudoku
