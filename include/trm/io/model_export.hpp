// SPDX-License-Identifier: MIT
// A trained model as files for others: one safetensors file, or what a Hugging Face folder holds. Tensors are copied bit for bit.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "trm/core/error.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/checkpoint.hpp"
#include "trm/io/json.hpp"
#include "trm/io/model_config.hpp"
#include "trm/io/model_files.hpp"
#include "trm/io/published_fields.hpp"
#include "trm/io/published_names.hpp"
#include "trm/io/safetensors.hpp"
#include "trm/models/config.hpp"
#include "trm/version.hpp"

namespace trm {

/// Names within a Hugging Face folder.
namespace published_file {
inline constexpr const char* weights = "model.safetensors";   // the parameters
inline constexpr const char* table = checkpoint_file::table;  // the puzzle rows
inline constexpr const char* about = "config.json";           // the configuration
inline constexpr const char* card = "README.md";              // the model card
}  // namespace published_file

/// What an export consists of.
struct export_counts {
  std::size_t tensors = 0;      // the table not counted
  std::uint64_t numbers = 0;    // in them
  std::size_t left_out = 0;     // tensors of the file that are no part of the model
  std::int64_t rows = 0;        // of the table; 0 where there is none, or it is not exported
  std::set<std::string> types;  // of all tensors: "float32", "bfloat16"
};

namespace detail {

/// Adds the tensors of the model to `dense`, its table to `table` (null: not exported; may be `dense`).
/// Throws where the files hold no model.
inline export_counts add_tensors(const model_files& files, safetensors_writer& dense, safetensors_writer* table) {
  export_counts counts;
  const auto add = [&](safetensors_writer& to, const std::string& name, const stored_tensor& t) {
    to.add(name, t.type, t.shape, t.bytes);
    counts.types.insert(std::string(name_of(t.type)));
  };
  for (const auto& [name, t] : files.weights().tensors()) {
    if (name == published_puzzle_table) continue;
    if (!name.starts_with(published_prefix)) {
      ++counts.left_out;
      continue;
    }
    add(dense, name, t);
    ++counts.tensors;
    counts.numbers += t.count();
  }
  if (counts.tensors == 0) {
    throw error(files.weights().path().string(),
                std::string("holds no model: no tensor's name begins with ") + published_prefix);
  }
  if (table != nullptr && files.table()) {
    const stored_tensor& t = files.table()->view(published_puzzle_table);
    add(*table, published_puzzle_table, t);
    counts.rows = t.shape.empty() ? 0 : t.shape.front();
  }
  return counts;
}

/// What is said of the model, `known` where the files are silent. The configuration that is known has been compared with theirs.
inline std::map<std::string, std::string> export_facts(const model_files& files,
                                                       const std::map<std::string, std::string>& known) {
  std::map<std::string, std::string> facts;
  for (const char* key : {"config", "preset", "step", "weights", "arithmetic", "version"}) {
    const auto said = files.about().find(key), given = known.find(key);
    if (given != known.end() && (said == files.about().end() || key == std::string("config"))) {
      facts[key] = given->second;
    } else if (said != files.about().end()) {
      facts[key] = said->second;
    }
  }
  return facts;
}

inline void add_metadata(safetensors_writer& to, const std::map<std::string, std::string>& facts, const char* format) {
  for (const auto& [key, value] : facts) to.metadata(key, value);
  to.metadata("format", format);
}

}  // namespace detail

/// Writes one file: the dense weights, and with `with_table` the puzzle table inside, straight from where it is mapped. Metadata: config, preset,
/// step, weights, arithmetic, version, as the files say them or else `known`. Throws where `path` is there already.
inline export_counts export_safetensors(const model_files& files, const std::filesystem::path& path, bool with_table,
                                        const std::map<std::string, std::string>& known = {}) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored))
    throw error(path.string(), "is there already: remove it or name another file");
  safetensors_writer out;
  const export_counts counts = detail::add_tensors(files, out, with_table ? &out : nullptr);
  detail::add_metadata(out, detail::export_facts(files, known), weights_format);
  out.save(path);
  return counts;
}

/// Writes model.safetensors and, where there is one and it is wanted, puzzle_table.safetensors into `folder`.
inline export_counts export_published_weights(const model_files& files, const std::filesystem::path& folder,
                                              bool with_table, const std::map<std::string, std::string>& known = {}) {
  safetensors_writer dense, table;
  const export_counts counts = detail::add_tensors(files, dense, with_table ? &table : nullptr);
  detail::add_metadata(dense, detail::export_facts(files, known), "pt");  // what readers of such folders ask for
  dense.save(folder / published_file::weights);
  if (with_table && files.table()) table.save(folder / published_file::table);
  return counts;
}

/// The config.json of a Hugging Face folder. model_files reads back from it what the files said of themselves: "config" (under our names), "preset",
/// "step", "weights", "arithmetic", "optimizer", "metrics". Besides "model_type", "architectures", and under "published" the configuration as
/// the published code would have it, where it can have it. `compiled`: the model's configuration.
inline json export_config(const model_files& files, const config& compiled,
                          const std::map<std::string, std::string>& known = {}) {
  json all = {{"model_type", "trm"}, {"architectures", {published_class(compiled.architecture)}}};
  for (const auto& [key, value] : detail::export_facts(files, known)) all[key] = value;
  all["config"] = to_json(compiled);
  for (const char* key : {"optimizer", "metrics"}) {
    if (const auto said = files.about().find(key); said != files.about().end()) all[key] = said->second;
  }
  // Numbers and objects were written as JSON.
  for (const char* key : {"step", "metrics"}) {
    if (all.contains(key)) all[key] = parse_json(all[key].get<std::string>(), files.path().string() + ": " + key);
  }
  if (auto published = published_fields(compiled)) all["published"] = std::move(*published);
  return all;
}

}  // namespace trm
