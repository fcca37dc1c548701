// SPDX-License-Identifier: MIT
// trm-sudoku: puzzles of 4 x 4, 6 x 6 and 9 x 9 made, learned and solved.
#include "../program/commands.hpp"
#include "../program/export_command.hpp"
#include "../program/run.hpp"
#include "build_command.hpp"
#include "generate_command.hpp"
#include "solve_command.hpp"
#include "sudoku_task.hpp"

int main(int argc, char** argv) {
  program::application app("trm-sudoku",
                           "Recursive reasoning models on Sudoku: generate puzzles, train, evaluate, solve.");
  trm_sudoku::sudoku_task sudoku;
  trm_sudoku::generate_command generate(app);
  trm_sudoku::build_command build(app);
  program::train_command train(app, sudoku);
  program::evaluate_command evaluate(app, sudoku);
  trm_sudoku::solve_command solve(app);
  program::export_command export_model(app, sudoku);
  program::init_command init(app, sudoku);
  return app.run(argc, argv);
}
