// SPDX-License-Identifier: MIT
// The published implementation's configuration, translated.
#pragma once
#include <string>

#include "trm/io/json.hpp"
#include "trm/models/config.hpp"

namespace trm {

/// The configuration of a published model. `arch` is the module's name: trm, trm_singlez, trm_hier6, hrm, transformers_baseline;
/// `fields` the architecture's fields under their published names; `loss_type` is that of its loss head. Run-time options
/// (batch_size, num_puzzle_identifiers, halt_max_steps, halt_exploration_prob), the compute type (forward_dtype) and unknown fields
/// are passed over; the published models have no mask. Throws `PLACE: POINTER: ...` for what is missing, of another type or unknown.
inline config published_config(const std::string& arch, const json& fields, const std::string& loss_type,
                               const std::string& place) {
  const json_field f(fields, place);
  const auto required = [&](const char* name) { return static_cast<int>(f.at(name).integer(0, 1 << 28)); };
  const auto integer = [&](const char* name, int otherwise) { return f.find(name) ? required(name) : otherwise; };
  const auto number = [&](const char* name, double otherwise) {
    const auto given = f.find(name);
    return given ? given->number() : otherwise;
  };
  const auto flag = [&](const char* name, bool otherwise) {
    const auto given = f.find(name);
    return given ? given->boolean() : otherwise;
  };
  config c;
  if (arch == "trm") {
    c.architecture = architecture::trm;
  } else if (arch == "trm_singlez") {
    c.architecture = architecture::single_state;
  } else if (arch == "trm_hier6") {
    c.architecture = architecture::six_state;
  } else if (arch == "hrm") {
    c.architecture = architecture::hrm;
  } else if (arch == "transformers_baseline") {
    c.architecture = architecture::transformer;
  } else {
    f.fail("unknown architecture \"" + detail::printable(arch, 60) +
           "\": trm, trm_singlez, trm_hier6, hrm, transformers_baseline");
  }
  const bool baseline = c.architecture == architecture::transformer, hrm = c.architecture == architecture::hrm;

  c.tokens = required("seq_len");
  c.vocab = required("vocab_size");
  c.hidden = required("hidden_size");
  if (!baseline && flag("mlp_t", false)) {
    c.mixing = mixing_kind::tokens;  // has no heads
  } else {
    c.heads = required("num_heads");
  }
  c.layers = required(baseline ? "H_layers" : "L_layers");
  if (hrm && required("H_layers") != c.layers) c.h_layers = required("H_layers");
  c.h_cycles = required("H_cycles");
  if (!baseline) c.l_cycles = required("L_cycles");
  c.expansion = number("expansion", 4);
  c.puzzle_width = integer("puzzle_emb_ndim", 0);
  if (c.hidden > 0) c.puzzle_positions = (c.puzzle_width + c.hidden - 1) / c.hidden;
  if (!baseline && !hrm) {  // these know how many positions the puzzle takes: 0 stands for as many as it fills
    const int given = integer("puzzle_emb_len", 16);
    if (given != 0) c.puzzle_positions = given;
    c.halting = flag("no_ACT_continue", true) ? halting_kind::q_halt : halting_kind::q_continue;
  }
  if (baseline && !flag("act_enabled", true)) c.halting = halting_kind::fixed;

  const json_field positions = f.at("pos_encodings");
  if (positions.string() == "learned") {
    c.positions = position_kind::learned;
  } else if (positions.string() == "none") {
    c.positions = position_kind::none;
  } else if (positions.string() != "rope") {
    positions.expected("rope, learned or none");
  }
  if (loss_type == "softmax_cross_entropy") {
    c.loss = loss_kind::softmax;
  } else if (loss_type != "stablemax_cross_entropy") {
    f.fail("unknown loss_type \"" + detail::printable(loss_type, 60) +
           "\": stablemax_cross_entropy, softmax_cross_entropy");
  }
  c.rope_theta = number("rope_theta", 10000.0);
  c.norm_epsilon = number("rms_norm_eps", 1e-5);
  return c;
}

}  // namespace trm
