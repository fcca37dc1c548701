// SPDX-License-Identifier: MIT
// trm-arc: ARC datasets, training, evaluation, prediction and scores.
#include "../program/commands.hpp"
#include "../program/export_command.hpp"
#include "../program/run.hpp"
#include "adapt_command.hpp"
#include "arc_task.hpp"
#include "build_command.hpp"
#include "materialize_command.hpp"
#include "package_command.hpp"
#include "predict_command.hpp"
#include "score_command.hpp"
#include "verify_command.hpp"

int main(int argc, char** argv) {
  program::application app(
      "trm-arc", "Recursive reasoning models on ARC tasks: build a dataset, train, evaluate, predict, score.");
  trm_arc::arc_task arc;
  trm_arc::build_command build(app);
  trm_arc::verify_command verify(app);
  trm_arc::materialize_command materialize(app);
  program::train_command train(app, arc);
  program::evaluate_command evaluate(app, arc);
  trm_arc::predict_command predict(app);
  trm_arc::adapt_command adapt(app);
  trm_arc::score_command score(app);
  program::export_command export_model(app, arc);
  trm_arc::package_command package(app, arc);
  program::init_command init(app, arc);
  return app.run(argc, argv);
}
