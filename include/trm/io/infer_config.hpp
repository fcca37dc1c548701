// SPDX-License-Identifier: MIT
// What a file's tensors say about the model they belong to, and whether they are the compiled model's.
#pragma once
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/core/parameters.hpp"
#include "trm/io/model_config.hpp"
#include "trm/io/published_names.hpp"
#include "trm/io/tensor_file.hpp"
#include "trm/layers/swiglu.hpp"
#include "trm/models/config.hpp"

namespace trm {

/// What of a configuration names and shapes of a state dict settle. Not among it: heads (the projections are hidden wide whatever
/// they are), cycles, mask, loss, halting, rope or no positions, expansion and width_multiple apart from each other, and, but
/// for learned positions and the token mixer, how many tokens there are.
struct inferred_config {
  std::optional<trm::architecture>
      architecture;                             // absent, as all that follow, where the names and shapes leave it open
  std::optional<int> vocab, hidden;             // V, D
  std::optional<int> layers, h_layers;          // h_layers: of hrm alone
  std::optional<mixing_kind> mixing;            // attention, or the token mixer
  std::optional<int> length;                    // T = puzzle_positions + tokens
  bool learned_positions = false;               // there is a tensor of them
  std::optional<int> inner_width, token_width;  // of the SwiGLU along channels, along tokens
  std::optional<std::int64_t> puzzle_rows;      // of the table
  int puzzle_width = 0;                         // 0: no table
};

namespace detail {

/// An extent of a tensor under published_prefix, where it is there and small enough to be one.
class inferred_shapes {
 public:
  explicit inferred_shapes(const tensor_file& file) : file_(file) {}

  bool has(const std::string& name) const { return file_.contains(published_prefix + name); }
  std::optional<std::int64_t> extent(const std::string& name, std::size_t dimension) const {
    if (!has(name)) return {};
    const std::vector<std::int64_t>& shape = file_.view(published_prefix + name).shape;
    if (dimension >= shape.size()) return {};
    return shape[dimension];
  }
  std::optional<int> number(const std::string& name, std::size_t dimension, int divisor = 1) const {
    const auto e = extent(name, dimension);
    if (!e || *e > 1 << 28) return {};
    return static_cast<int>(*e) / divisor;
  }
  /// One more than the largest N of "LEVEL.layers.N."
  std::optional<int> layers(const std::string& level) const {
    const std::string before = published_prefix + level + ".layers.";
    int count = 0;
    for (auto at = file_.tensors().lower_bound(before); at != file_.tensors().end() && at->first.starts_with(before);
         ++at) {
      int index = 0;
      const char *from = at->first.data() + before.size(), *end = at->first.data() + at->first.size();
      const auto [rest, code] = std::from_chars(from, end, index);
      if (code == std::errc{} && rest != end && *rest == '.' && index >= 0 && index < 1 << 20) {
        count = std::max(count, index + 1);
      }
    }
    return count > 0 ? std::optional<int>(count) : std::nullopt;
  }

 private:
  const tensor_file& file_;
};

inline std::optional<architecture> inferred_architecture(const inferred_shapes& s) {
  const bool low = s.layers("L_level").has_value(), high = s.layers("H_level").has_value();
  if (high) return low ? architecture::hrm : architecture::transformer;
  if (!low) return {};
  if (s.has("L1_init")) return architecture::six_state;
  return s.has("H_init") ? architecture::trm : architecture::single_state;
}

}  // namespace detail

/// From the tensors under published_prefix in `weights` and, where the puzzle table is a file of its own, in `table`.
inline inferred_config infer_config(const tensor_file& weights, const tensor_file* table = nullptr) {
  const detail::inferred_shapes s(weights);
  inferred_config c;
  c.architecture = detail::inferred_architecture(s);
  c.vocab = s.number("embed_tokens.embedding_weight", 0);
  c.hidden = s.number("embed_tokens.embedding_weight", 1);
  const std::string net = c.architecture == architecture::transformer ? "H_level" : "L_level";
  c.layers = s.layers(net);
  if (c.architecture == architecture::hrm) c.h_layers = s.layers("H_level");
  const std::string first = net + ".layers.0.";
  if (s.has(first + "self_attn.qkv_proj.weight")) c.mixing = mixing_kind::attention;
  if (s.has(first + "mlp_t.gate_up_proj.weight")) c.mixing = mixing_kind::tokens;
  c.inner_width = s.number(first + "mlp.gate_up_proj.weight", 0, 2);
  c.token_width = s.number(first + "mlp_t.gate_up_proj.weight", 0, 2);
  c.learned_positions = s.has("embed_pos.embedding_weight");
  c.length = s.number(c.learned_positions ? "embed_pos.embedding_weight" : first + "mlp_t.gate_up_proj.weight",
                      c.learned_positions ? 0 : 1);
  const detail::inferred_shapes rows(table != nullptr ? *table : weights);
  c.puzzle_rows = rows.extent("puzzle_emb.weights", 0);
  c.puzzle_width = rows.number("puzzle_emb.weights", 1).value_or(0);
  return c;
}

/// "architecture trm, vocab 7, hidden 64, ...": what is known.
inline std::string to_text(const inferred_config& c) {
  std::string out;
  const auto add = [&](const std::string& name, const auto& value) {
    if (value) out += (out.empty() ? "" : ", ") + name + " " + std::to_string(*value);
  };
  if (c.architecture) out = std::string("architecture ") + detail::name_of(*c.architecture);
  add("vocab", c.vocab), add("hidden", c.hidden), add("layers", c.layers), add("h_layers", c.h_layers);
  if (c.mixing) out += std::string(out.empty() ? "" : ", ") + "mixing " + detail::name_of(*c.mixing);
  if (c.learned_positions) out += std::string(out.empty() ? "" : ", ") + "learned positions";
  add("length", c.length), add("inner width", c.inner_width), add("token width", c.token_width);
  if (c.puzzle_width > 0) add("puzzle width", std::optional<int>(c.puzzle_width));
  return out.empty() ? "nothing of a model" : out;
}

/// The first fact in which a configuration differs: "vocab is 7, the compiled model has 12"; nothing where all agree. The puzzle width is
/// compared where the file has a table.
inline std::optional<std::string> difference(const inferred_config& c, const config& compiled) {
  std::optional<std::string> first;
  const auto compare = [&](const char* name, const auto& found, auto wanted, auto text) {
    if (!first && found && *found != wanted) {
      first = std::string(name) + " is " + text(*found) + ", the compiled model has " + text(wanted);
    }
  };
  const auto number = [](int v) { return std::to_string(v); };
  const auto name = [](auto v) { return std::string("\"") + detail::name_of(v) + "\""; };
  const auto width_of = [&](int in) { return swiglu_width(compiled.expansion, in, compiled.width_multiple); };
  const std::optional<int> puzzle_width = c.puzzle_width > 0 ? std::optional<int>(c.puzzle_width) : std::nullopt;
  compare("architecture", c.architecture, compiled.architecture, name);
  compare("vocab", c.vocab, compiled.vocab, number);
  compare("hidden", c.hidden, compiled.hidden, number);
  compare("layers", c.layers, compiled.layers, number);
  compare("h_layers", c.h_layers, compiled.h_layers != 0 ? compiled.h_layers : compiled.layers, number);
  compare("mixing", c.mixing, compiled.mixing, name);
  const bool learned = compiled.positions == position_kind::learned;
  if (!first && c.architecture && c.learned_positions != learned) {
    first = learned ? "it has no learned positions, the compiled model has"
                    : "it has learned positions, the compiled model has none";
  }
  compare("length (puzzle positions and tokens)", c.length, compiled.length(), number);
  compare("inner width", c.inner_width, width_of(compiled.hidden), number);
  compare("token width", c.token_width, width_of(compiled.length()), number);
  compare("puzzle_width", puzzle_width, compiled.puzzle_width, number);
  return first;
}

/// A tensor that a model wants.
struct expected_tensor {
  std::string name;                 // in the published state dict
  std::vector<std::int64_t> shape;  // extents, the slowest first
};

/// Throws at the first of `wanted` that is missing (`FILE: tensor NAME: is not in the file (which has architecture trm, ...)`) or has
/// another shape (`FILE: tensor NAME: expected shape [..], found [..]`), then at the first tensor under published_prefix that nobody
/// wants. The puzzle table is not looked at (check_puzzle_table), and neither is what lies beside the model (an optimizer's state).
inline void check_tensors(const tensor_file& file, std::span<const expected_tensor> wanted) {
  std::set<std::string_view> names{published_puzzle_table};
  for (const expected_tensor& t : wanted) {
    if (!file.contains(t.name)) {
      throw error(file.place(t.name), "is not in the file (which has " + to_text(infer_config(file)) + ")");
    }
    file.view(t.name, t.shape);
    names.insert(t.name);
  }
  for (const auto& [name, t] : file.tensors()) {
    if (name.starts_with(published_prefix) && names.count(name) == 0) {
      throw error(file.place(name), "the compiled model has no such tensor; found shape " + shape_text(t.shape));
    }
  }
}

/// Throws where `table`, if it is there, has rows of another width than the compiled model's (0: it has none).
inline void check_puzzle_table(const tensor_file* table, int puzzle_width) {
  if (table == nullptr) return;
  const std::vector<std::int64_t>& shape = table->view(published_puzzle_table).shape;
  const std::string place = table->place(published_puzzle_table);
  if (puzzle_width == 0) throw error(place, "the compiled model has no puzzle rows; found shape " + shape_text(shape));
  if (shape.size() != 2 || shape[1] != puzzle_width) {
    throw error(place, "expected shape [rows, " + std::to_string(puzzle_width) + "], found " + shape_text(shape));
  }
}

/// The tensors of a compiled model, as check_tensors wants them: parameters and constants.
template <class Model>
std::vector<expected_tensor> expected_tensors() {
  std::vector<expected_tensor> out;
  const auto add = [&](const parameter_entry& e) {
    out.push_back({std::string(e.name()), {e.extents, e.extents + e.rank}});
  };
  for (const parameter_entry& e : Model::table) add(e);
  for (const parameter_entry& e : Model::constant_table) add(e);
  return out;
}

}  // namespace trm
