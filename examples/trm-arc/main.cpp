// SPDX-License-Identifier: MIT
// trm-arc: ARC datasets, training, evaluation and prediction.
#include "../program/commands.hpp"
#include "../program/run.hpp"
#include "arc_task.hpp"
#include "build_command.hpp"
#include "predict_command.hpp"

int main(int argc, char** argv) {
  program::application app("trm-arc",
                           "Recursive reasoning models on ARC tasks: build a dataset, train, evaluate, predict.");
  trm_arc::arc_task arc;
  trm_arc::build_command build(app);
  program::train_command train(app, arc);
  program::evaluate_command evaluate(app, arc);
  trm_arc::predict_command predict(app);
  program::init_command init(app, arc);
  return app.run(argc, argv);
}
