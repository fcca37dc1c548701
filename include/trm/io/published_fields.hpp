// SPDX-License-Identifier: MIT
// A configuration as the published implementation would write it.
#pragma once
#include <optional>
#include <string>

#include "trm/core/error.hpp"
#include "trm/io/json.hpp"
#include "trm/io/model_config.hpp"
#include "trm/io/published_config.hpp"
#include "trm/models/config.hpp"

namespace trm {

/// The published class of an architecture, for `architectures` in a config.json.
inline const char* published_class(architecture a) {
  switch (a) {
    case architecture::hrm:
      return "HierarchicalReasoningModel_ACTV1";
    case architecture::transformer:
      return "Model_ACTV2";
    default:
      return "TinyRecursiveReasoningModel_ACTV1";
  }
}

/// {"arch": module, "loss_type": ..., "fields": {...}}: what published_config() reads back as `c`. Nothing where the published code has no
/// such model: a mask, a width_multiple other than 256, puzzle positions that it cannot have.
inline std::optional<json> published_fields(const config& c) {
  static constexpr const char* modules[] = {"trm", "trm_singlez", "trm_hier6", "hrm", "transformers_baseline"};
  const bool baseline = c.architecture == architecture::transformer, hrm = c.architecture == architecture::hrm;
  if (c.mask != mask_kind::bidirectional || c.width_multiple != config{}.width_multiple) return std::nullopt;
  json fields = {{"seq_len", c.tokens},
                 {"vocab_size", c.vocab},
                 {"hidden_size", c.hidden},
                 {"H_cycles", c.h_cycles},
                 {"expansion", c.expansion},
                 {"pos_encodings", detail::name_of(c.positions)},
                 {"puzzle_emb_ndim", c.puzzle_width},
                 {"rope_theta", c.rope_theta},
                 {"rms_norm_eps", c.norm_epsilon}};
  if (c.mixing == mixing_kind::attention) fields["num_heads"] = c.heads;
  fields[baseline ? "H_layers" : "L_layers"] = c.layers;
  if (!baseline) fields["L_cycles"] = c.l_cycles;
  if (hrm) fields["H_layers"] = c.h_layers == 0 ? c.layers : c.h_layers;
  if (baseline) fields["act_enabled"] = c.halting != halting_kind::fixed;
  if (!baseline && !hrm) {
    fields["mlp_t"] = c.mixing == mixing_kind::tokens;
    fields["puzzle_emb_len"] = c.puzzle_positions;
    fields["no_ACT_continue"] = c.halting == halting_kind::q_halt;
  }
  json all = {{"arch", modules[static_cast<int>(c.architecture)]},
              {"loss_type", c.loss == loss_kind::stablemax ? "stablemax_cross_entropy" : "softmax_cross_entropy"},
              {"fields", fields}};
  try {
    const config back = published_config(all["arch"], fields, all["loss_type"], "published");
    if (to_json(back) != to_json(c)) return std::nullopt;
  } catch (const error&) {
    return std::nullopt;
  }
  return all;
}

}  // namespace trm
