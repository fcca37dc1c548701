// SPDX-License-Identifier: MIT
// trm-toy: a task that is made in memory and models of milliseconds, to test what every program shares.
#include "program/commands.hpp"
#include "program/export_command.hpp"
#include "program/run.hpp"
#include "toy_task.hpp"

int main(int argc, char** argv) {
  program::application app("trm-toy", "Tiny models on rows of words.");
  trm_toy::toy_task toy;
  program::train_command train(app, toy);
  program::evaluate_command evaluate(app, toy);
  program::export_command export_model(app, toy);
  program::init_command init(app, toy);
  return app.run(argc, argv);
}
