// SPDX-License-Identifier: MIT
// The README.md of a Hugging Face folder: what a model is, where it comes from, what was measured, how it is used.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "trm/io/json.hpp"
#include "trm/io/model_export.hpp"
#include "trm/version.hpp"

namespace program {

/// What a card says.
struct card_facts {
  std::string name;     // of the model
  std::string program;  // that runs it, "trm-arc"
  std::string license;  // empty: for the owner to say
  trm::json config;     // the config.json beside it
  trm::export_counts counts;
  bool identifiers = false;  // does identifiers.json lie beside it?
  trm::json provenance;      // provenance.json of its run; null where there is none
  std::string options;       // config.toml of its run; may be empty
};

/// What a metric of metrics.jsonl measures; empty where it is none of the known.
inline std::string metric_definition(std::string_view name) {
  struct definition {
    std::string_view metric, means;
  };
  static constexpr definition known[] = {
      {"exact_accuracy", "share of examples with every cell right"},
      {"accuracy", "share of the cells of an example that are right, a mean over examples"},
      {"q_halt_accuracy", "share of examples whose halting logit says rightly whether the answer is exact"},
      {"steps", "supervision steps of an example"},
      {"lm_loss", "cross-entropy of the cells by the model's loss, a mean over the cells of an example"},
      {"q_halt_loss", "binary cross-entropy of the halting logit against whether the answer is exact"},
      {"q_continue_loss", "binary cross-entropy of the continuation logit against its target"},
      {"ARC/shape_errors", "share of predictions of another size than the solution"},
      {"ARC/copied_inputs", "share of predictions equal to the input"},
      {"ARC/malformed_grids", "share of predictions that are no rectangle of colours bounded by end tokens"},
      {"ARC/shape_errors of first answers", "the same of the answers with the most votes"},
      {"ARC/copied_inputs of first answers", "the same of the answers with the most votes"},
      {"sudoku/solved", "share of puzzles answered with a valid board that has their clues"},
      {"sudoku/solvable by naked singles", "share of puzzles that need nothing but cells with one candidate left"},
      {"sudoku/solved beyond naked singles", "share solved of the other puzzles"},
      {"maze/path", "share of answers that mark a path from start to goal and leave the rest as it is"},
      {"maze/shortest path", "share of answers that mark a shortest path"}};
  for (const definition& d : known) {
    if (name == d.metric || (d.metric.find('/') == d.metric.npos && name.ends_with("/" + std::string(d.metric)))) {
      return std::string(d.means);
    }
  }
  if (name.starts_with("ARC/pass@")) {
    return name.ends_with(" of inputs")
               ? "share of test inputs with the right answer among the first k by votes over augmentations"
               : "mean over tasks of the share of their test inputs with the right answer among the first k by votes "
                 "over "
                 "augmentations";
  }
  return "";
}

namespace detail {

/// A scalar of YAML: JSON's are.
inline std::string yaml(const std::string& text) {
  return trm::json(text).dump(-1, ' ', true, trm::json::error_handler_t::replace);
}
/// Text from outside in one line of Markdown, as code.
inline std::string code(const std::string& text) {
  std::string line = trm::detail::printable(text, 200);
  for (char& c : line) c = c == '`' || c == '|' ? '\'' : c;
  return "`" + line + "`";
}
inline std::string text_of(const trm::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

/// What stands in quotes in a list of TOML or JSON.
inline std::vector<std::string> quoted_words(std::string_view list) {
  std::vector<std::string> words;
  for (std::size_t at = list.find_first_of("'\""); at != list.npos; at = list.find_first_of("'\"", at)) {
    const std::size_t end = list.find(list[at], at + 1);
    if (end == list.npos) break;
    words.emplace_back(list.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return words;
}

/// The names of the data folders, without where they lie.
inline std::string data_names(const card_facts& c) {
  std::string names;
  if (!c.provenance.is_object() || !c.provenance.contains("configuration")) return names;
  const trm::json& options = c.provenance.at("configuration");
  if (!options.is_object()) return names;
  for (const std::string& folder : quoted_words(text_of(options, "data"))) {
    const std::filesystem::path path = std::filesystem::path(folder).lexically_normal();
    names += (names.empty() ? "" : ", ") + (path.has_filename() ? path : path.parent_path()).filename().string();
  }
  return names;
}

inline std::vector<std::pair<std::string, double>> rated_metrics(const trm::json& config) {
  std::vector<std::pair<std::string, double>> rated;
  const auto metrics = config.find("metrics");
  if (metrics == config.end() || !metrics->is_object()) return rated;
  for (const auto& [name, value] : metrics->items()) {
    if (value.is_number() && !metric_definition(name).empty()) rated.emplace_back(name, value.get<double>());
  }
  return rated;
}

inline std::string card_head(const card_facts& c) {
  const std::string task = c.program.starts_with("trm-") ? c.program.substr(4) : c.program;
  std::string out = "---\n";
  out +=
      c.license.empty() ? "# license: to be said by the owner of the weights\n" : "license: " + yaml(c.license) + "\n";
  out += fmt::format("library_name: trm\ntags:\n  - trm\n  - recursive-reasoning\n  - {}\n", yaml(task));
  const auto metrics = rated_metrics(c.config);
  if (!metrics.empty()) {
    const std::string data = data_names(c).empty() ? task : data_names(c);
    out += fmt::format(
        "model-index:\n  - name: {}\n    results:\n      - task:\n          type: {}\n        dataset:\n"
        "          name: {}\n          type: {}\n        metrics:\n",
        yaml(c.name), yaml(task), yaml(data), yaml(task));
    for (const auto& [name, value] : metrics) {
      out += fmt::format("          - type: {}\n            value: {}\n", yaml(name), trm::json(value).dump());
    }
  }
  return out + "---\n\n";
}

inline std::string card_model(const card_facts& c) {
  const trm::json& about = c.config;
  std::string types;
  for (const std::string& type : c.counts.types) types += (types.empty() ? "" : ", ") + type;
  std::string out = "## The model\n\n| | |\n| --- | --- |\n";
  const auto row = [&](const std::string& what, const std::string& value) {
    if (!value.empty()) out += fmt::format("| {} | {} |\n", what, value);
  };
  row("numbers in the dense weights", fmt::format("{} in {} tensors, {}", c.counts.numbers, c.counts.tensors, types));
  row("puzzle rows", c.counts.rows > 0 ? fmt::format("{}, in `{}`", c.counts.rows, trm::published_file::table) : "");
  for (const char* key : {"preset", "arithmetic", "optimizer"}) {
    if (const std::string text = text_of(about, key); !text.empty()) row(key, code(text));
  }
  if (const std::string step = text_of(about, "step"); !step.empty()) row("steps of training", code(step));
  const std::string kind = text_of(about, "weights");
  if (!kind.empty()) row("weights", kind == "ema" ? "running average (EMA)" : code(kind));
  if (const std::string version = text_of(about, "version"); !version.empty())
    row("written by", code("trm " + version));
  row("exported by", code(std::string("trm ") + trm::version_string));
  out += "\nThe configuration is `config` in `config.json`";
  out += about.contains("published") ? ", under the names of the published code in `published`.\n\n" : ".\n\n";
  return out;
}

inline std::string card_metrics(const card_facts& c) {
  std::string out = "## Measured\n\n";
  const auto metrics = rated_metrics(c.config);
  if (metrics.empty()) return out + "The checkpoint records no evaluation.\n\n";
  out +=
      "At the evaluation of this checkpoint, fractions of 1. `test/...` is over the test split, `train/...` over "
      "training "
      "examples.\n\n| metric | value | |\n| --- | --- | --- |\n";
  for (const auto& [name, value] : metrics) {
    out += fmt::format("| {} | {:.6g} | {} |\n", code(name), value, metric_definition(name));
  }
  return out + "\n";
}

/// Options without the paths of the machine that trained.
inline std::string without_paths(const std::string& toml) {
  std::string kept;
  for (std::string_view rest = toml; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const bool path = line.starts_with("data =") || line.starts_with("run =") || line.starts_with("init-from =");
    if (!path && !line.empty()) kept.append("    ").append(line).append("\n");
  }
  return kept;
}

inline std::string card_training(const card_facts& c) {
  std::string out;
  if (c.provenance.is_object()) {
    if (const std::string names = data_names(c); !names.empty()) out += "Data: " + code(names) + ".\n";
    if (const auto data = c.provenance.find("data"); data != c.provenance.end() && data->is_array()) {
      for (const trm::json& split : *data) {
        if (!split.is_object()) continue;
        out += fmt::format("Split {}: fingerprint {}.\n", code(text_of(split, "split")),
                           code(text_of(split, "fingerprint")));
      }
    }
    if (const auto starts = c.provenance.find("starts");
        starts != c.provenance.end() && starts->is_array() && !starts->empty()) {
      const trm::json& last = starts->back();
      if (last.is_object()) {
        out +=
            fmt::format("Trained by trm {}, commit {}, compiled by {} ({}), on {}.\n", code(text_of(last, "version")),
                        code(text_of(last, "commit")), code(text_of(last, "compiler")), code(text_of(last, "flags")),
                        code(text_of(last, "processor")));
      }
    }
  }
  if (!c.options.empty()) out += "\nOptions of the run:\n\n" + without_paths(c.options);
  return out.empty() ? "" : "## Training\n\n" + out + "\n";
}

inline std::string card_use(const card_facts& c) {
  const bool rows = c.config.at("config").at("puzzle_width").get<int>() > 0;
  std::string out = fmt::format(
      "## Use\n\nWith the program `{0}` of trm, built with the preset above, FOLDER being this one:\n\n"
      "    {0} evaluate --checkpoint FOLDER --data DATASET\n",
      c.program);
  if (c.program == "trm-arc") out += "    trm-arc predict --checkpoint FOLDER TASK.json\n";
  if (c.program == "trm-sudoku" || c.program == "trm-maze")
    out += "    " + c.program + " solve --checkpoint FOLDER FILE\n";
  out +=
      "\nThe tensors have the names of the published PyTorch state dict (`model.inner...`); any reader of safetensors "
      "reads them.\n\n## Limits\n\n";
  if (rows && c.counts.rows > 0) {
    out +=
        "- The model knows a puzzle by its row of the table, and has rows for the puzzles of its training data alone";
    out += c.identifiers ? " (`identifiers.json`). " : ". ";
    out += fmt::format(
        "A new puzzle needs a row of its own, trained on its demonstrations{}; without it answers are guesses.\n",
        c.program == "trm-arc" ? " (`trm-arc adapt`)" : "");
  } else if (rows) {
    out +=
        "- The puzzle table was left out: the model cannot be evaluated on the puzzles that it was trained on, only "
        "new rows be "
        "trained for it.\n";
  }
  out += fmt::format(
      "- Examples have {} tokens of {} words at most: nothing larger can be asked.\n"
      "- There is no modelling code for `transformers` in this folder.\n"
      "- What was measured holds for the data named here; how the model does on others was not measured.\n",
      c.config.at("config").at("tokens").get<int>(), c.config.at("config").at("vocab").get<int>());
  return out;
}

}  // namespace detail

/// Requires c.config to be an export_config().
inline std::string model_card(const card_facts& c) {
  std::string title = trm::detail::printable(c.name, 100);
  return detail::card_head(c) + "# " + title + "\n\n" +
         "A tiny recursive reasoning model (TRM, [arXiv 2510.04871](https://arxiv.org/abs/2510.04871)).\n\n" +
         detail::card_model(c) + detail::card_metrics(c) + detail::card_training(c) + detail::card_use(c);
}

}  // namespace program
