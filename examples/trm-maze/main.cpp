// SPDX-License-Identifier: MIT
// trm-maze: mazes made, learned and solved.
#include "../program/commands.hpp"
#include "../program/export_command.hpp"
#include "../program/run.hpp"
#include "build_command.hpp"
#include "generate_command.hpp"
#include "maze_task.hpp"
#include "solve_command.hpp"

int main(int argc, char** argv) {
  program::application app("trm-maze", "Recursive reasoning models on mazes: generate them, train, evaluate, solve.");
  trm_maze::maze_task maze;
  trm_maze::generate_command generate(app);
  trm_maze::build_command build(app);
  program::train_command train(app, maze);
  program::evaluate_command evaluate(app, maze);
  trm_maze::solve_command solve(app);
  program::export_command export_model(app, maze);
  program::init_command init(app, maze);
  return app.run(argc, argv);
}
