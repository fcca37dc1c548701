// SPDX-License-Identifier: MIT
// The options of a trainer that all processes have been given.
#pragma once
#include <string>

#include "trm/train/agreement.hpp"
#include "trm/train/training_options.hpp"
#include "trm/version.hpp"

namespace trm::detail {

/// The options as a trainer of Model uses them: of several processes each has a part of the gradient at least. `machine`: what else must be
/// the same for the same bits. \throws trm::error where they do not fit one another, or processes have been given different ones
template <class Model, class Communicator>
training_options agreed_options(const training_options& o, Communicator& processes, const fact& machine) {
  training_options used = o;
  if (processes.size() > 1) {
    require_agreement(processes, {{"version", version_string},
                                  {"parameters of the model", std::to_string(Model::extent)},
                                  {"puzzle rows", std::to_string(o.puzzle_identifiers)},
                                  {"training options", text_of(o)},
                                  machine});
    if (o.gradient_parts == 1) used.gradient_parts = processes.size();
  }
  together(processes, [&] { check(used, processes.size(), Model::W > 0); });  // what is wrong is so everywhere
  return used;
}

}  // namespace trm::detail
