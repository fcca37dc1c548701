// SPDX-License-Identifier: MIT
// Mazes as a task of the shared commands.
#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "../program/report/maze_drawing.hpp"
#include "../program/task.hpp"
#include "trm/data/maze/maze_set.hpp"
#include "trm/data/maze/solver.hpp"

namespace trm_maze {

/// Shares of an evaluation's mazes whose answer is a path, and a shortest one. Without looking at the label: of several
/// shortest paths each will do.
class path_score final : public program::scorer {
 public:
  void begin() override { *this = path_score(); }
  void add(const trm::batch&, const trm::sequential_part& part, const program::any_solver& s) override {
    const trm::samples& state = s.samples();
    const auto n = static_cast<std::size_t>(state.tokens);
    const std::span<const int> inputs(state.inputs), answers(state.predictions);
    for (std::size_t i = 0; i < static_cast<std::size_t>(part.rows); ++i) {
      const trm::maze::grid question = trm::maze::decode(inputs.subspan(i * n, n));
      const trm::maze::grid answer = trm::maze::decode(answers.subspan(i * n, n));
      const trm::maze::answer_check check = trm::maze::check_answer(question, answer, answer);
      mazes_ += 1, paths_ += check.keeps_maze && check.is_path, shortest_ += check.keeps_maze && check.is_shortest;
    }
  }
  void report(trm::json& result) override {
    if (mazes_ == 0) return;
    result["maze/path"] = paths_ / mazes_;
    result["maze/shortest path"] = shortest_ / mazes_;
  }

 private:
  double mazes_ = 0, paths_ = 0, shortest_ = 0;
};

class maze_task final : public program::table_task {
 public:
  std::string program() const override { return "trm-maze"; }
  std::string title(const program::example_data& data) const override {
    return fmt::format("Maze {0} \u00d7 {0}", trm::maze::side_of(static_cast<std::size_t>(data.metadata.seq_len)));
  }
  std::string training_example() const override {
    return "trm-maze generate --side 10 --min-path 12 --count 5000 --test 500 --output data/maze\n"
           "  trm-maze train --data data/maze --run runs/maze --eval-every 500";
  }
  std::string evaluation_example() const override {
    return "trm-maze evaluate --data data/maze --checkpoint runs/maze/checkpoints/step_5000";
  }
  void add_training_options(CLI::App& c) override {
    c.add_flag("--symmetries,!--no-symmetries", symmetries_,
               "Train on the eight turned and mirrored forms of tables' mazes")
        ->default_str("true");
  }
  program::drawing draw() const override {
    using tokens = program::drawing::tokens;
    const auto draw = [](tokens cells, tokens truth) {
      const auto kinds = [](tokens from) {
        std::vector<int> all(from.begin(), from.end());
        for (int& t : all) t -= 1;
        return all;
      };
      const int side = trm::maze::side_of(cells.size());
      return program::report::maze(side, side, kinds(cells), kinds(truth));
    };
    return {[=](tokens inputs) { return draw(inputs, {}); }, [=](tokens, tokens labels) { return draw(labels, {}); },
            [=](tokens, tokens labels, tokens answer) { return draw(answer, labels); }};
  }
  std::unique_ptr<program::scorer> scores(const program::paths&, const std::string&) const override {
    return std::make_unique<path_score>();
  }

 private:
  trm::json table_options() const override { return {{"symmetries", symmetries_}}; }
  program::example_data read_table(const std::filesystem::path& file, bool training, std::uint64_t) const override {
    return of_table(file, trm::maze::maze_set::read_csv(file, training && symmetries_));
  }

  bool symmetries_ = true;
};

}  // namespace trm_maze
