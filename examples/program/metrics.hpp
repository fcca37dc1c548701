// SPDX-License-Identifier: MIT
// Metrics under their published names, and who adds to them.
#pragma once
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "any_model.hpp"
#include "trm/io/json.hpp"
#include "trm/train/metrics.hpp"

namespace program {

/// Sums of a set as rates: accuracies and steps over the examples that halted, losses over all `samples`.
inline trm::json rates(const trm::step_metrics& m, double samples, bool trains_continue) {
  const double halted = std::max(m.count, 1.0), all = std::max(samples, 1.0);
  trm::json j = {{"accuracy", m.accuracy / halted},
                 {"exact_accuracy", m.exact_accuracy / halted},
                 {"q_halt_accuracy", m.q_halt_accuracy / halted},
                 {"steps", m.steps / halted},
                 {"lm_loss", m.lm_loss / all},
                 {"q_halt_loss", m.q_halt_loss / all}};
  if (trains_continue) j["q_continue_loss"] = m.q_continue_loss / all;
  return j;
}

/// What a task measures of an evaluation besides the metrics that all tasks have.
class scorer {
 public:
  virtual ~scorer() = default;
  /// An evaluation begins.
  virtual void begin() = 0;
  /// A batch was answered; its first part.rows samples are examples.
  virtual void add(const trm::batch& b, const trm::sequential_part& part, const any_solver& s) = 0;
  /// The evaluation was stopped before its end: it has not been, and is made anew later.
  virtual void cancel() {}
  /// Adds its numbers to the result.
  virtual void report(trm::json& result) = 0;
  /// Writes what belongs beside metrics.json.
  virtual void write(const std::filesystem::path& /*output*/) {}

  /// Writes what it remembers of earlier evaluations into a checkpoint that is being made; returns the names of the files.
  virtual std::vector<std::string> save(const std::filesystem::path& /*checkpoint*/) const { return {}; }
  /// Remembers what save() wrote there. \throws trm::error where it is missing or damaged
  virtual void restore(const std::filesystem::path& /*checkpoint*/) {}
};

}  // namespace program
