// SPDX-License-Identifier: MIT
// A model's configuration as JSON: what a checkpoint says of the model it belongs to.
#pragma once
#include <string>

#include "trm/core/error.hpp"
#include "trm/io/json.hpp"
#include "trm/models/config.hpp"

namespace trm {

namespace detail {

constexpr const char* name_of(architecture a) {
  constexpr const char* names[] = {"trm", "single_state", "six_state", "hrm", "transformer"};
  return names[static_cast<int>(a)];
}
constexpr const char* name_of(mixing_kind k) { return k == mixing_kind::attention ? "attention" : "tokens"; }
constexpr const char* name_of(mask_kind k) {
  constexpr const char* names[] = {"bidirectional", "causal", "prefix"};
  return names[static_cast<int>(k)];
}
constexpr const char* name_of(position_kind k) {
  constexpr const char* names[] = {"rope", "learned", "none"};
  return names[static_cast<int>(k)];
}
constexpr const char* name_of(loss_kind k) { return k == loss_kind::stablemax ? "stablemax" : "softmax"; }
constexpr const char* name_of(halting_kind k) {
  constexpr const char* names[] = {"q_halt", "q_continue", "fixed"};
  return names[static_cast<int>(k)];
}

}  // namespace detail

/// Every field of the configuration under its own name.
inline json to_json(const config& c) {
  return {{"tokens", c.tokens},
          {"vocab", c.vocab},
          {"hidden", c.hidden},
          {"heads", c.heads},
          {"layers", c.layers},
          {"h_layers", c.h_layers},
          {"h_cycles", c.h_cycles},
          {"l_cycles", c.l_cycles},
          {"expansion", c.expansion},
          {"width_multiple", c.width_multiple},
          {"puzzle_positions", c.puzzle_positions},
          {"puzzle_width", c.puzzle_width},
          {"architecture", detail::name_of(c.architecture)},
          {"mixing", detail::name_of(c.mixing)},
          {"mask", detail::name_of(c.mask)},
          {"positions", detail::name_of(c.positions)},
          {"loss", detail::name_of(c.loss)},
          {"halting", detail::name_of(c.halting)},
          {"rope_theta", c.rope_theta},
          {"norm_epsilon", c.norm_epsilon}};
}

/// Throws `PLACE: FIELD is X, the compiled model has Y` at the first field in which a stored configuration differs.
inline void check_same_config(const json& stored, const config& compiled, const std::string& place) {
  const json ours = to_json(compiled);
  if (!stored.is_object()) throw error(place, "the configuration is not an object");
  for (const auto& [field, value] : ours.items()) {
    const auto found = stored.find(field);
    if (found == stored.end()) throw error(place, "the configuration has no field " + field);
    if (*found != value) {
      const std::string text = found->is_structured() ? "a list or an object" : detail::printable(found->dump(), 60);
      throw error(place, field + " is " + text + ", the compiled model has " + value.dump());
    }
  }
}

}  // namespace trm
